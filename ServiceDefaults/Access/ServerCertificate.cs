using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lab.ServiceDefaults.Access;

/// <summary>The certificate to be served with cannot be had; the message says why, for the person who configured it.</summary>
public sealed class CertificateException : Exception
{
    /// <summary>Creates the exception with its cause.</summary>
    public CertificateException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public CertificateException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception without a message.</summary>
    public CertificateException()
    {
    }
}

/// <summary>The server's certificate, the user's own or a self-signed one.</summary>
/// <param name="Certificate">The certificate with its private key.</param>
/// <param name="Issuers">The certificates between it and its root.</param>
/// <param name="IsSelfSigned">Whether it was made here, so that clients must be told its fingerprint.</param>
/// <param name="Files">The files that it was read from.</param>
internal sealed record ServerCertificate(X509Certificate2 Certificate, X509Certificate2Collection Issuers, bool IsSelfSigned, CertificateFiles Files)
{
    private const string CertificateFile = "certificate.pem";
    private const string KeyFile = "key.pem";

    // RFC 5280, 4.2.1.12: id-kp-serverAuth.
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";

    private const string CannotBeHad = "the certificate for https cannot be had";

    // What browsers and clients accept at the most for a certificate of one's own.
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(825);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>SHA-256 of the certificate, in the form in which browsers and openssl show it.</summary>
    public string Fingerprint => string.Join(':', SHA256.HashData(Certificate.RawData).Select(b => b.ToString("X2", provider: null)));

    /// <summary>Reads the user's certificate, or the self-signed one, which is made where there is none that will last.</summary>
    /// <exception cref="CertificateException">A file cannot be read or written, or holds no certificate and key that belong together.</exception>
    public static ServerCertificate Load(HttpsOptions options, TimeProvider time)
    {
        try
        {
            if (options.CertificatePath is { Length: > 0 } path)
                return Parse(CertificateFiles.Read(path, options.KeyPath is { Length: > 0 } own ? own : path), isSelfSigned: false);
            var directory = options.SelfSignedDirectory ?? DefaultDirectory();
            var (certificate, key) = (Path.Combine(directory, CertificateFile), Path.Combine(directory, KeyFile));
            if (File.Exists(certificate) && File.Exists(key))
            {
                var kept = Parse(CertificateFiles.Read(certificate, key), isSelfSigned: true);
                if (kept.Certificate.NotAfter.ToUniversalTime() - RenewBefore > time.GetUtcNow()) return kept;
            }

            Make(directory, certificate, key, time.GetUtcNow());
            return Parse(CertificateFiles.Read(certificate, key), isSelfSigned: true);
        }
        catch (Exception e) when (e is CertificateException or IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            var setting = options.CertificatePath is { Length: > 0 } path
                ? $"{HttpsOptions.Section}:{nameof(HttpsOptions.CertificatePath)} '{path}'{(options.KeyPath is { Length: > 0 } own ? $" with {HttpsOptions.Section}:{nameof(HttpsOptions.KeyPath)} '{own}'" : "")}"
                : $"{HttpsOptions.Section}:{nameof(HttpsOptions.SelfSignedDirectory)}";
            throw new CertificateException($"{setting}: {(e is CertificateException ? "" : $"{CannotBeHad}: ")}{e.Message}", e);
        }
    }

    /// <summary>Makes a certificate of what its files hold.</summary>
    /// <exception cref="CertificateException">They could not be read, or hold no certificate for servers and key that belong together.</exception>
    public static ServerCertificate Parse(CertificateFiles files, bool isSelfSigned)
    {
        if ((files.Certificate.Fault ?? files.Key.Fault) is { } fault) throw new CertificateException($"{CannotBeHad}: {fault}");
        try
        {
            var issuers = new X509Certificate2Collection();
            issuers.ImportFromPem(files.Certificate.Text);
            if (issuers.Count > 0) issuers.RemoveAt(0);
            var certificate = X509Certificate2.CreateFromPem(files.Certificate.Text, files.Key.Text);
            return certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().All(usages => usages.EnhancedKeyUsages[ServerUsage] is not null)
                ? new(certificate, issuers, isSelfSigned, files)
                : throw new CertificateException($"{CannotBeHad}: the one in '{files.CertificatePath}' is not for servers (extended key usage {ServerUsage}).");
        }
        catch (CryptographicException e)
        {
            throw new CertificateException($"{CannotBeHad}: '{files.CertificatePath}' and '{files.KeyPath}' hold no certificate and unencrypted key in PEM: {e.Message}", e);
        }
        catch (ArgumentException e)
        {
            throw new CertificateException($"{CannotBeHad}: the key in '{files.KeyPath}' is not that of the certificate in '{files.CertificatePath}'.", e);
        }
    }

    private static void Make(string directory, string certificate, string key, DateTimeOffset now)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Lab", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName(Environment.MachineName);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(ServerUsage)], critical: false));
        using var made = request.CreateSelfSigned(now.AddMinutes(-5), now + Lifetime);

        Directory.CreateDirectory(directory);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        // Readable by nobody else from its first byte on.
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.Delete(key);
        using (var file = new StreamWriter(key, options)) file.Write(pair.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(certificate, made.ExportCertificatePem());
    }

    private static string DefaultDirectory() => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state
            ? state
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state"),
        "lab", "https");
}

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// The certificate for port 443 where the user brings none: self-signed, made once on this machine and kept beside the
/// keys, so that clients that believe it go on to do so when an orchestrator's host is replaced. All orchestrators show it.
/// </summary>
internal static class OwnCertificate
{
    // RFC 5280, 4.2.1.12: id-kp-serverAuth.
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    private const string Name = "orchestrator";

    // What browsers and clients accept at the most for a certificate of one's own.
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(825);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>The file, with the private key behind the certificate; mode 0600.</summary>
    /// <param name="directory">The deployment's directory.</param>
    public static string FileIn(string directory) => Path.Combine(directory, "https.pem");

    /// <summary>Sees that the one that is kept can be used; makes none.</summary>
    /// <param name="directory">The deployment's directory.</param>
    /// <exception cref="DeploymentException">It cannot.</exception>
    public static void Check(string directory)
    {
        if (File.Exists(FileIn(directory))) Read(FileIn(directory)).Dispose();
    }

    /// <summary>Makes the certificate where there is none that will last.</summary>
    /// <param name="directory">The deployment's directory.</param>
    /// <param name="addresses">The addresses that stay with the deployment: a certificate is for them too.</param>
    /// <param name="now">The present moment.</param>
    /// <param name="note">Told what clients have to know.</param>
    /// <returns>The file.</returns>
    /// <exception cref="DeploymentException">The one that is kept cannot be used, or none can be written.</exception>
    public static string Ensure(string directory, IReadOnlyCollection<string> addresses, DateTimeOffset now, Action<string> note)
    {
        var file = FileIn(directory);
        var isRenewed = false;
        if (File.Exists(file))
        {
            using var kept = Read(file);
            if (kept.NotAfter.ToUniversalTime() - RenewBefore > now.UtcDateTime)
            {
                var named = kept.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateIPAddresses()).Select(address => address.ToString()).ToHashSet();
                if (addresses.Where(address => !named.Contains(address)).ToList() is { Count: > 0 } others)
                    note($"The certificate does not name {string.Join(", ", others)}, and stays as it is, for clients believe it: by that address they have to ask for the name {Name}, or be given another certificate (delete {file} and publish again).");
                return file;
            }

            isRenewed = true;
        }

        var pem = Make(addresses, now);
        DeploymentDirectory.At(directory).WriteSecret(file, pem);
        if (isRenewed || File.Exists(ClientFiles.CertificateIn(directory)))
            note($"Port 443 gets another certificate{(isRenewed ? ", for the one before ends soon" : ", which is kept on this machine from now on and outlives the orchestrator's host")}: clients have to believe SHA-256 {FleetKeys.Fingerprint(pem)}.");
        return file;
    }

    private static string Make(IReadOnlyCollection<string> addresses, DateTimeOffset now)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Lab", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Name);
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        foreach (var address in addresses) names.AddIpAddress(IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(ServerUsage)], critical: false));
        using var made = request.CreateSelfSigned(now.AddMinutes(-5), now.AddMinutes(-5) + Lifetime);
        return $"{made.ExportCertificatePem()}\n{pair.ExportPkcs8PrivateKeyPem()}\n";
    }

    private static X509Certificate2 Read(string file)
    {
        try
        {
            var text = File.ReadAllText(file);
            return X509Certificate2.CreateFromPem(text, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new DeploymentException(ExitCode.Failed,
                $"The certificate {file} cannot be used ({e.Message.TrimEnd('.')}). Nothing was changed, and what ran before runs on. Put it back, or delete the file: 'publish' makes another one then, which clients have to be told.", e);
        }
    }
}

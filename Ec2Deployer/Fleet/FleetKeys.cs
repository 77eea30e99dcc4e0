using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// The API keys of a deployment: made once, kept in files that only their owner can read, and given to the Swarm as
/// hashes, which are all that the orchestrator needs. A key itself never leaves this machine but in a request.
/// </summary>
internal sealed class FleetKeys
{
    private const string OtlpKeyHeader = "x-otlp-api-key";

    private readonly string _directory;

    private FleetKeys(string directory, string apiKeyFile, string apiKey, string adminKey) =>
        (_directory, ApiKeyFile, ApiKey, AdminKey) = (directory, apiKeyFile, apiKey, adminKey);

    /// <summary>The file with the key for requests.</summary>
    public string ApiKeyFile { get; }

    /// <summary>The key for requests.</summary>
    public string ApiKey { get; }

    /// <summary>The key by which the deployer drains workers.</summary>
    public string AdminKey { get; }

    /// <summary>The file with <see cref="AdminKey"/>.</summary>
    /// <param name="directory">The deployment's directory.</param>
    public static string AdminKeyIn(string directory) => Path.Combine(directory, "admin-key");

    /// <summary>Reads the keys, and makes those that are missing.</summary>
    /// <exception cref="DeploymentException">A file cannot be read or written, or holds none.</exception>
    public static FleetKeys Open(string directory)
    {
        var apiKeyFile = Path.Combine(directory, "api-key");
        return new(directory, apiKeyFile, ReadOrMake(apiKeyFile), ReadOrMake(AdminKeyIn(directory)));
    }

    /// <summary>Reads the keys that are there, and makes none.</summary>
    /// <exception cref="DeploymentException">A file cannot be read, or holds none.</exception>
    public static void Check(string directory)
    {
        foreach (var file in (string[])["api-key", "admin-key", "otlp-key", "dashboard-token"]) Existing(Path.Combine(directory, file));
        OwnCertificate.Check(directory);
    }

    /// <summary>The token that opens the dashboard in a browser.</summary>
    /// <exception cref="DeploymentException">It is not on this machine, or cannot be read.</exception>
    public static string DashboardToken(string directory) => Existing(DashboardTokenFile(directory)) ?? throw new DeploymentException(ExitCode.Failed,
        $"The dashboard's token, {DashboardTokenFile(directory)}, is not on this machine. Take it over with 'state export' where the deployment was published and 'state import' here, or run 'publish', which makes another.");

    /// <summary>Everything that containers are to know and nobody else.</summary>
    /// <param name="release">The release, with its certificate.</param>
    /// <exception cref="DeploymentException">A file that an option names cannot be used.</exception>
    public IReadOnlyList<FleetSecret> Secrets(ReleaseOptions release) =>
        [.. FleetSecret.Planned(release).Select(secret => secret with
        {
            Content = secret.Kind switch
            {
                "key" => Hash(ApiKey),
                "admin-key" => Hash(AdminKey),
                "otlp-headers" => $"{OtlpKeyHeader}={OtlpKey}",
                "dashboard-otlp-key" => OtlpKey,
                "dashboard-token" => ReadOrMake(DashboardTokenFile(_directory)),
                "postgres" => Read(release.PostgresFile!).Trim(),
                _ => Pem(release.CertificateFile!),
            },
        })];

    /// <summary>SHA-256 of a certificate, in the form that the orchestrator logs and browsers show.</summary>
    public static string Fingerprint(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return Fingerprint(certificate);
    }

    /// <inheritdoc cref="Fingerprint(string)"/>
    public static string Fingerprint(X509Certificate2 certificate) =>
        string.Join(':', SHA256.HashData(certificate.RawData).Select(part => part.ToString("X2", provider: null)));

    /// <summary>The certificate and its key as PEM, whatever the file's form.</summary>
    public static string Pem(string file)
    {
        if (Path.GetExtension(file) is not (".pfx" or ".p12")) return Read(file);
        try
        {
            using var pair = X509CertificateLoader.LoadPkcs12FromFile(file, password: null, X509KeyStorageFlags.Exportable | X509KeyStorageFlags.EphemeralKeySet);
            using var key = (AsymmetricAlgorithm?)pair.GetECDsaPrivateKey() ?? pair.GetRSAPrivateKey() ?? throw new CryptographicException("it holds no private key");
            return $"{pair.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
        }
        catch (CryptographicException e)
        {
            throw Unusable(file, e);
        }
    }

    private string OtlpKey => ReadOrMake(Path.Combine(_directory, "otlp-key"));

    private static string DashboardTokenFile(string directory) => Path.Combine(directory, "dashboard-token");

    private static string Hash(string key) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}";

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(file, e);
        }
    }

    private static DeploymentException Unusable(string file, Exception e) =>
        new(ExitCode.Usage, $"{file} cannot be used: {e.Message.TrimEnd('.')}. What ran before runs on. Name another file and run the command again.", e);

    private static string? Existing(string file)
    {
        if (!File.Exists(file)) return null;
        return Read(file).Trim() is { Length: > 0 } existing ? existing : throw new DeploymentException(ExitCode.Failed,
            $"The key file {file} is empty. Nothing was changed, and what ran before runs on. Put the key back, or delete the file: 'publish' makes another key then.");
    }

    private static string ReadOrMake(string file)
    {
        if (Existing(file) is { } existing) return existing;
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        DeploymentDirectory.At(Path.GetDirectoryName(file)!).WriteSecret(file, key);
        return key;
    }
}

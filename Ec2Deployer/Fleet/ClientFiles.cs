using Lab.Ec2Deployer.Aws;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Files of the deployment's directory by which clients reach the orchestrator: whom to believe, and the key, which is on no command line then.</summary>
internal static class ClientFiles
{
    /// <summary>The file with the certificates to be believed.</summary>
    public static string CertificateIn(string directory) => Path.Combine(directory, "certificate.pem");

    /// <summary>The file with the API key as a header.</summary>
    public static string AuthorizationIn(string directory) => Path.Combine(directory, "authorization");

    /// <summary>Writes them; where no certificate is known, the one of before stays.</summary>
    /// <param name="directory">The deployment's directory.</param>
    /// <param name="key">The API key.</param>
    /// <param name="certificates">What orchestrators serve, as PEM.</param>
    /// <returns>Where they are.</returns>
    public static (string Authorization, string? Certificate) Write(string directory, string key, IReadOnlyList<string> certificates)
    {
        var files = new DeploymentDirectory(Path.GetDirectoryName(directory)!, Path.GetFileName(directory));
        files.WriteSecret(AuthorizationIn(directory), $"Authorization: Bearer {key}\n");
        if (certificates.Count == 0) return (AuthorizationIn(directory), null);
        files.WriteSecret(CertificateIn(directory), string.Join('\n', certificates) + "\n");
        return (AuthorizationIn(directory), CertificateIn(directory));
    }

    /// <summary>The fingerprint of the first orchestrator's certificate, or null where none is kept here.</summary>
    public static string? FingerprintIn(string directory) =>
        File.Exists(CertificateIn(directory)) ? FleetKeys.Fingerprint(File.ReadAllText(CertificateIn(directory))) : null;
}

using System.Security.Cryptography;
using System.Text;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>A secret of the Swarm. Its name holds a hash of its content, for a secret cannot be changed, only replaced.</summary>
/// <param name="Kind">What it is: <c>key</c>.</param>
/// <param name="Target">The file that the container sees, below <c>/run/secrets</c> or absolute.</param>
/// <param name="Content">What nobody else may know; null in a plan, which reads no secret.</param>
internal sealed record FleetSecret(string Kind, string Target, string? Content)
{
    /// <summary>Where the container sees the user's certificate: not among the configuration's secrets.</summary>
    public const string CertificatePath = "/run/lab/https.pem";

    /// <summary>The secrets of a release without their content: reads and makes nothing.</summary>
    public static IReadOnlyList<FleetSecret> Planned(ReleaseOptions release)
    {
        var secrets = new List<FleetSecret> { new("key", "Access__Keys__client", null), new("admin-key", "Access__AdminKeys__deployer", null) };
        if (release.PostgresFile is not null) secrets.Add(new("postgres", "Jobs__ConnectionString", null));
        if (release.CertificateFile is not null) secrets.Add(new("certificate", CertificatePath, null));
        return secrets;
    }

    /// <summary>Its name in the Swarm.</summary>
    public string Name(string deployment) =>
        $"{deployment}-{Kind}-{(Content is null ? "<hash>" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Content)))[..12])}";

    /// <summary>Keeps its content out of whatever prints a record.</summary>
    public override string ToString() => $"secret {Kind}";
}

using System.Security.Cryptography;
using System.Text;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>A secret of the Swarm. Its name holds a hash of its content, for a secret cannot be changed, only replaced.</summary>
/// <param name="Kind">What it is: <c>key</c>.</param>
/// <param name="Target">The file that the container sees, below <c>/run/secrets</c> or absolute.</param>
/// <param name="Content">What nobody else may know; null in a plan, which reads no secret.</param>
/// <param name="Reader">Which containers see it.</param>
internal sealed record FleetSecret(string Kind, string Target, string? Content, SecretReader Reader = SecretReader.Orchestrator)
{
    /// <summary>Where the container sees the certificate for port 443: not among the configuration's secrets.</summary>
    public const string CertificatePath = "/run/lab/https.pem";

    /// <summary>Where services see the headers with which they send telemetry to the dashboard.</summary>
    public const string TelemetryHeadersPath = "/run/lab/otlp-headers";

    /// <summary>The secrets of a release without their content: reads and makes nothing.</summary>
    public static IReadOnlyList<FleetSecret> Planned(ReleaseOptions release)
    {
        var secrets = new List<FleetSecret> { new("key", "Access__Keys__client", null), new("admin-key", "Access__AdminKeys__deployer", null) };
        if (release.PostgresFile is not null) secrets.Add(new("postgres", "Jobs__ConnectionString", null));
        // The user's own, or the one that the deployer makes.
        secrets.Add(new("certificate", CertificatePath, null));
        if (release.Dashboard)
        {
            secrets.Add(new("otlp-headers", TelemetryHeadersPath, null, SecretReader.Services));
            // By the names of the dashboard's own settings: it reads a directory of such files.
            secrets.Add(new("dashboard-otlp-key", $"{DashboardStack.Secrets}/Dashboard__Otlp__PrimaryApiKey", null, SecretReader.Dashboard));
            secrets.Add(new("dashboard-token", $"{DashboardStack.Secrets}/Dashboard__Frontend__BrowserToken", null, SecretReader.Dashboard));
        }

        return secrets;
    }

    /// <summary>Its name in the Swarm.</summary>
    public string Name(string deployment) =>
        $"{deployment}-{Kind}-{(Content is null ? "<hash>" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Content)))[..12])}";

    /// <summary>Keeps its content out of whatever prints a record.</summary>
    public override string ToString() => $"secret {Kind}";
}

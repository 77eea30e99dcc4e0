using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>What the hosts are to run, and how the deployer reaches them.</summary>
internal sealed record ReleaseOptions
{
    /// <summary>The deployment's name, such as <c>lab</c>: lower case letters, digits and hyphens.</summary>
    public required string Deployment { get; init; }

    /// <summary>The directory of the deployment on this machine, mode 0700, outside the repository: API key, known hosts, audit log.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>The private key that opens the hosts, in OpenSSH's format, mode 0600.</summary>
    public required string PrivateKeyFile { get; init; }

    /// <summary>Reference of the image that ours are built upon, or null: the .NET SDK's own, family <c>noble-chiseled-extra</c>.</summary>
    public string? BaseImage { get; init; }

    /// <summary>The processors of the hosts, for which the images are built.</summary>
    public HostArchitecture Architecture { get; init; } = HostArchitecture.X64;

    /// <summary>How many orchestrators: one, or one on each manager (3).</summary>
    public int Orchestrators { get; init; } = 1;

    /// <summary>Whether an orchestrator runs on each manager, and not only on the orchestrator's host.</summary>
    public bool OrchestratorOnEachManager => Orchestrators > 1;

    /// <summary>Where the services send telemetry by OTLP, or null: nowhere.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>Whether Aspire's dashboard runs on the orchestrator's host, and the services send their telemetry there.</summary>
    public bool Dashboard { get; init; }

    /// <summary>A model directory to serve instead of the bundled one, or null.</summary>
    public string? ModelDirectory { get; init; }

    /// <summary>A file with a PostgreSQL connection string for jobs, or null: SQLite on the orchestrator's host. Needed with more than one orchestrator.</summary>
    public string? PostgresFile { get; init; }

    /// <summary>Whether port 80 takes requests, without keys, instead of sending them on to HTTPS.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Whether workers ask EC2's metadata service whether their spot instance is taken back.</summary>
    public bool SpotNotices { get; init; }

    /// <summary>A PFX or PEM file with the certificate for port 443, or null: self-signed, made by the deployer.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The addresses that stay with the deployment: a certificate that is made is for them.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Whether Docker is upgraded on the hosts where there is a newer version. This time only.</summary>
    public bool UpgradeDocker { get; init; }

    /// <summary>
    /// A new or changed host key is accepted instead of refused. Even then it is compared, remembered and reported.
    /// </summary>
    public bool AcceptNewHostKey { get; init; }
}

namespace Lab.Ec2Deployer.Fleet;

/// <summary>What a deployment or a rollback came to.</summary>
internal sealed record FleetReport
{
    /// <summary>The version that now serves.</summary>
    public required string Version { get; init; }

    /// <summary>The version that served before, or null at the first time.</summary>
    public string? PreviousVersion { get; init; }

    /// <summary>False where everything was as it should be already.</summary>
    public required bool Changed { get; init; }

    /// <summary>All containers, in the order of their names.</summary>
    public required IReadOnlyList<ContainerStatus> Containers { get; init; }

    /// <summary>Where clients send text: <c>https://…</c>.</summary>
    public required Uri Address { get; init; }

    /// <summary>The file with the API key, mode 0600, or null where no key is set.</summary>
    public string? ApiKeyFile { get; init; }

    /// <summary>The file with the API key as a header, for curl, mode 0600; or null where no key is set.</summary>
    public string? AuthorizationFile { get; init; }

    /// <summary>The file with the certificate that clients are to believe, as PEM: of several orchestrators each one's. Null where none could be read.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The name that the certificate is for, or null where it names none but addresses.</summary>
    public string? ServerName { get; init; }

    /// <summary>SHA-256 of the certificate on port 443 in hexadecimal, or null where none is served.</summary>
    public string? CertificateFingerprint { get; init; }

    /// <summary>Archives sent over the deployer's own link; 0 where all were there already.</summary>
    public int ImagesSent { get; init; }

    /// <summary>Bytes sent over the deployer's own link for images and model.</summary>
    public long BytesSent { get; init; }
}

/// <summary>One container of the deployment.</summary>
/// <param name="Name"><c>orchestrator</c>, <c>worker-1</c>, …</param>
/// <param name="Host">The host it runs on.</param>
/// <param name="Port">The port it answers on.</param>
/// <param name="Version">The version it runs, or null where it is not there.</param>
/// <param name="Health"><c>healthy</c>, <c>starting</c>, <c>unhealthy</c>, <c>gone</c>, <c>stopped</c> or <c>unknown</c>.</param>
/// <param name="StartedAt">Since when, or null.</param>
internal sealed record ContainerStatus(string Name, string Host, int Port, string? Version, string Health, DateTimeOffset? StartedAt)
{
    /// <summary>Of a worker, what the orchestrator says: <c>free</c>, <c>busy</c>, <c>quarantined</c> or <c>draining</c>; null where it was not asked.</summary>
    public string? State { get; init; }
}

namespace Lab.Ec2Deployer.Swarm;

/// <summary>Which containers see a secret.</summary>
internal enum SecretReader
{
    /// <summary>The orchestrators alone.</summary>
    Orchestrator,

    /// <summary>Every orchestrator and every worker.</summary>
    Services,

    /// <summary>Aspire's dashboard alone.</summary>
    Dashboard,
}

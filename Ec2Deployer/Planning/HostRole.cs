namespace Lab.Ec2Deployer.Planning;

/// <summary>What a host runs.</summary>
internal enum HostRole
{
    /// <summary>The orchestrator, on ports 80 and 443.</summary>
    Orchestrator,

    /// <summary>Two workers, on ports 8000 and 8001.</summary>
    Worker,
}

namespace Lab.Ec2Deployer.Swarm;

/// <summary>What is done to a container, to see what becomes of requests.</summary>
internal enum Harm
{
    /// <summary>Ended at once, as by a crash. Swarm starts another.</summary>
    Kill,

    /// <summary>Stopped where it is: its connections stay, and nothing is answered.</summary>
    Freeze,

    /// <summary>Given a quarter of a core.</summary>
    Slow,

    /// <summary>Neither frozen nor slowed any more.</summary>
    Thaw,
}

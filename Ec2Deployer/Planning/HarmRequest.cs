namespace Lab.Ec2Deployer.Planning;

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

/// <summary>Harm to one container.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Container">To whom: <c>worker-3</c>.</param>
internal sealed record HarmRequest(Harm Kind, string Container);

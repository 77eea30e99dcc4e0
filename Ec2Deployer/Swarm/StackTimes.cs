namespace Lab.Ec2Deployer.Swarm;

/// <summary>The times of a rollout: how soon a container is known to be healthy or broken, and how long one is waited for.</summary>
internal sealed record StackTimes
{
    /// <summary>What suits small machines: a probe is a process of its own and costs 0.1 to 0.2 s of a core.</summary>
    public static readonly StackTimes Default = new();

    /// <summary>Between two probes, and before the first: no container counts as healthy sooner.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long probes may fail after a start, for a large model must be loaded.</summary>
    public TimeSpan StartPeriod { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a service must stay well after its last container was replaced.</summary>
    public TimeSpan Monitor { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one service's rollout may take on one host.</summary>
    public TimeSpan DeadlinePerHost { get; init; } = TimeSpan.FromMinutes(3);
}

namespace Lab.Ec2Deployer.Aws;

/// <summary>How often EC2 is asked, and how long it is waited for.</summary>
internal sealed record Ec2Pace
{
    /// <summary>The wait before the first repetition; each further one doubles it.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest wait between two repetitions.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>For how long throttling and passing faults are borne.</summary>
    public TimeSpan Faults { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After so long without an answer people are told what is waited for.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For how long EC2 may not know what it has just created.</summary>
    public TimeSpan Consistency { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The wait between two polls of something that takes its time.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>For how long an instance may take to run.</summary>
    public TimeSpan Running { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For how long the console may stay without host keys: minutes on older, Xen based types.</summary>
    public TimeSpan HostKeys { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>For how long instances may take to end, and groups to come free after them.</summary>
    public TimeSpan Ending { get; init; } = TimeSpan.FromMinutes(10);
}

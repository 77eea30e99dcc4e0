namespace Lab.Ec2Deployer.Reporting;

/// <summary>A failure that is told to the user as it stands: one paragraph, no stack trace.</summary>
internal sealed class DeploymentException : Exception
{
    /// <param name="code">What the program ends with.</param>
    /// <param name="message">One paragraph: what failed, where, what is left running, what to do.</param>
    /// <param name="inner">The cause, shown with <c>--verbose</c>.</param>
    public DeploymentException(ExitCode code, string message, Exception? inner = null) : base(message, inner) => Code = code;

    /// <summary>What the program ends with.</summary>
    public ExitCode Code { get; }
}

/// <summary>How the program ends. Documented in <c>--help</c>: scripts depend on the numbers.</summary>
internal enum ExitCode
{
    /// <summary>Done, or nothing to do.</summary>
    Done = 0,

    /// <summary>Something failed that has no number of its own.</summary>
    Failed = 1,

    /// <summary>The command line cannot be understood, or an option's value is impossible.</summary>
    Usage = 2,

    /// <summary>AWS refused or could not be reached: credentials, permissions, quotas, capacity.</summary>
    AwsRefused = 3,

    /// <summary>A host cannot be reached or a command on it failed.</summary>
    HostFailed = 4,

    /// <summary>Another deployer holds the lock.</summary>
    Locked = 5,

    /// <summary>Interrupted by the user.</summary>
    Interrupted = 130,
}

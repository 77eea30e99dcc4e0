namespace Lab.AppHost.LocalHost;

/// <summary>What a resource is at.</summary>
internal enum ResourceState
{
    /// <summary>Left to the user to start.</summary>
    NotStarted,

    /// <summary>Waits until those that it depends on are ready.</summary>
    Waiting,

    /// <summary>Its process runs and has not been ready yet.</summary>
    Starting,

    /// <summary>Its process runs.</summary>
    Running,

    /// <summary>Its process is being ended.</summary>
    Stopping,

    /// <summary>Was ended by the user.</summary>
    Stopped,

    /// <summary>Has done its work; only what is started by hand may.</summary>
    Finished,

    /// <summary>Has ended by itself and ought not to; what is not started by hand is started again in a moment.</summary>
    Failed,
}

/// <summary>A resource at one moment.</summary>
/// <param name="State">What it is at.</param>
/// <param name="Lack">What its health lacks; null where nothing is known to be wrong.</param>
/// <param name="ProcessId">Its process, or null.</param>
/// <param name="Since">When the process was started, or the state reached.</param>
/// <param name="Restarts">How often it has been started but for the first time.</param>
internal sealed record ResourceStatus(ResourceState State, string? Lack, int? ProcessId, DateTimeOffset Since, int Restarts)
{
    /// <summary>Whether there is a process that can be spoken to.</summary>
    public bool IsUp => State is ResourceState.Starting or ResourceState.Running;

    /// <summary>Whether it can be started rather than stopped.</summary>
    public bool IsDown => State is ResourceState.NotStarted or ResourceState.Stopped or ResourceState.Finished
        || (State is ResourceState.Failed && ProcessId is null);
}

/// <summary>A line that a resource has written, or that was written about it.</summary>
internal sealed record ConsoleLine(DateTimeOffset At, string Text, bool IsAboutIt);

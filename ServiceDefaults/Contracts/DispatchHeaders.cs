namespace Lab.ServiceDefaults.Contracts;

/// <summary>What a worker tells of itself beside its answer to a dispatch, for orchestrators that share it with others.</summary>
public static class DispatchHeaders
{
    /// <summary>Beside a 429: in about how many whole milliseconds the worker will be free, 1 to <see cref="MaxBusyMs"/>.</summary>
    public const string Busy = "x-lab-busy-ms";

    /// <summary>Beside an answer: <c>1</c> if the worker has refused somebody else meanwhile.</summary>
    public const string Wanted = "x-lab-wanted";

    /// <summary>The longest time that a worker tells, and that is believed, in milliseconds.</summary>
    public const int MaxBusyMs = 2000;
}

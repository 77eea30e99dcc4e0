namespace Lab.Orchestrator.Jobs;

/// <summary>
/// Jobs cannot be kept: at the start, because of something that the person who configured it can mend; later,
/// because the disk or the database is not to be had for the moment.
/// </summary>
public sealed class JobStoreException : Exception
{
    /// <summary>Creates the exception with a message for the person who runs the orchestrator.</summary>
    public JobStoreException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its cause.</summary>
    public JobStoreException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>Creates the exception without a message.</summary>
    public JobStoreException()
    {
    }

    /// <summary>Whether the reason lies in what was to be written, so that something else can still be.</summary>
    public bool IsOfOneWrite { get; init; }

    /// <summary>Whether there is no room left where jobs are kept.</summary>
    public bool IsFull { get; init; }
}

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
}

namespace Lab.Orchestrator.Jobs;

/// <summary>What became of a submission.</summary>
internal enum SubmissionKind
{
    /// <summary>A new job, on disk.</summary>
    Created,

    /// <summary>The job that the same key and the same request made before.</summary>
    Repeated,

    /// <summary>The key was used before, for another request.</summary>
    KeyReused,

    /// <summary>Nothing stored: as many jobs are unfinished as may be, by number or bytes.</summary>
    Full,

    /// <summary>Nothing stored: its owner has all that one of several may have.</summary>
    ShareUsed,

    /// <summary>Nothing stored: the jobs kept take up as many bytes as they may.</summary>
    StoreFull,

    /// <summary>Nothing stored: the disk is nearly full.</summary>
    DiskLow,

    /// <summary>Nothing stored: its key's job vanished while it was looked up.</summary>
    Vanished,
}

/// <summary>What became of a submission, and the job where there is one.</summary>
internal sealed record Submission(SubmissionKind Kind, Job? Job = null)
{
    public static readonly Submission KeyReused = new(SubmissionKind.KeyReused);

    public static Submission Created(NewJob job) =>
        new(SubmissionKind.Created, new(job.Id, JobStatus.Queued, null, null, job.SubmittedAt, null));
}

/// <summary>What became of a wish to cancel.</summary>
internal enum CancelKind { Canceled, AlreadyFinished, Unknown }

/// <summary>What a store tells those who wait.</summary>
internal enum JobSignalKind { Queued, Canceled, Finished }

/// <summary>Something has happened to jobs, here or, where the store can tell, in another process.</summary>
internal sealed record JobSignal(JobSignalKind Kind, IReadOnlyList<Guid> Ids)
{
    public static readonly JobSignal Queued = new(JobSignalKind.Queued, []);
}

/// <summary>
/// Where jobs are kept. What a member has returned is on disk. A job that runs is leased by one holder until a time;
/// only its holder can finish it, only while it is not finished, so that a job's readers see one end. A row that cannot be
/// read is set aside by whoever comes upon it, and its owner sees a job that has failed. Every member but
/// <see cref="OpenAsync"/> may be called at any time and from everywhere.
/// </summary>
internal interface IJobStore : IAsyncDisposable
{
    /// <summary>Something has happened to jobs. Raised after the commit, on any thread; listeners do not block.</summary>
    event Action<JobSignal>? Signaled;

    /// <summary>About what all jobs come to.</summary>
    JobSum Sum { get; }

    /// <summary>How many bytes of jobs may be kept.</summary>
    long MaxBytes { get; }

    /// <summary>Makes the store ready; once, before everything else.</summary>
    /// <exception cref="JobStoreException">It is configured wrongly; the message says what.</exception>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Stores a new job, or finds the one that its key already made.</summary>
    /// <exception cref="JobStoreException">The store is not to be had; the job may or may not have been stored.</exception>
    Task<Submission> SubmitAsync(NewJob job, CancellationToken cancellationToken);

    /// <summary>The job, or <c>null</c> when this owner has none of that identity or its retention is over.</summary>
    Task<Job?> FindAsync(string owner, Guid id, CancellationToken cancellationToken);

    /// <summary>Ends a job of this owner that has not ended.</summary>
    Task<CancelKind> CancelAsync(string owner, Guid id, CancellationToken cancellationToken);

    /// <summary>Takes the jobs submitted first, in order of submission; first of all those whose holder has let its lease run out.</summary>
    /// <returns>Those; none while others could not tell that this one is alive.</returns>
    /// <param name="maxJobs">How many, at least 1.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<IReadOnlyList<LeasedJob>> LeaseAsync(int maxJobs, CancellationToken cancellationToken);

    /// <summary>Renews the leases of these jobs.</summary>
    /// <returns>Those of them that are still leased here.</returns>
    Task<IReadOnlyCollection<Guid>> RenewAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken);

    /// <summary>Finishes a job that is leased here.</summary>
    /// <returns>Whether this was the job's end; <c>false</c> when it was canceled or is no longer leased here.</returns>
    Task<bool> FinishAsync(Guid id, JobEnd end, CancellationToken cancellationToken);

    /// <summary>Hands back every job that is leased here.</summary>
    Task ReleaseAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Hands back the jobs of holders that are known to be dead, without waiting for their leases to run out, and those
    /// whose leases would never run out.
    /// </summary>
    /// <returns>How many jobs.</returns>
    Task<int> ReleaseAbandonedAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Deletes results whose retention is over, ends jobs that nobody could finish for as long, and sets aside rows that
    /// no other query would come upon; gives back the space.
    /// </summary>
    /// <returns>How many results were deleted.</returns>
    Task<int> SweepAsync(CancellationToken cancellationToken);
}

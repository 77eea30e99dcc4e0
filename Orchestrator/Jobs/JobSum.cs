namespace Lab.Orchestrator.Jobs;

/// <summary>What an owner's jobs come to, or everybody's.</summary>
/// <param name="Unfinished">How many are queued or running.</param>
/// <param name="UnfinishedBytes">What those take up.</param>
/// <param name="Bytes">What all of them take up, finished ones too.</param>
internal readonly record struct JobSum(long Unfinished, long UnfinishedBytes, long Bytes)
{
    /// <summary>A new job.</summary>
    public static JobSum Of(NewJob job) => new(1, job.Bytes, job.Bytes);

    public static JobSum operator +(JobSum one, JobSum other) =>
        new(one.Unfinished + other.Unfinished, one.UnfinishedBytes + other.UnfinishedBytes, one.Bytes + other.Bytes);

    /// <summary>Whether no jobs could come to this.</summary>
    public bool IsImpossible => Unfinished < 0 || UnfinishedBytes < 0 || Bytes < 0;
}

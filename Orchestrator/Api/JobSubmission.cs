using Lab.Orchestrator.Jobs;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Api;

/// <summary><c>POST /new_request</c> with <c>Prefer: respond-async</c>: the job is on disk before its client hears of it.</summary>
internal sealed class JobSubmission(
    IJobStore store,
    JobSignals signals,
    JobMetrics metrics,
    IOptions<JobsOptions> options,
    TimeProvider time,
    IHostApplicationLifetime lifetime)
{
    // A hundred thousand jobs take longer than any time it makes sense to tell.
    private const int RetryAfterSeconds = 60;

    // Room comes when what is kept has been kept for as long as was promised: seldom sooner than this.
    private static readonly TimeSpan RetryWhenFull = TimeSpan.FromMinutes(5);

    /// <summary>Accepts the request as a job; with <c>wait=N</c> answers it at once if it is done by then (RFC 7240 §4.3).</summary>
    public async Task<Results<Ok<RequestAnswer>, Accepted<JobDocument>, RefusalResult>> SubmitAsync(
        HttpContext context, TextBody body, Prefer prefer)
    {
        if (IdempotencyKey.Read(context.Request.Headers, out var key) is { } refusal) return refusal.ToResult();
        var owner = context.JobOwner();
        var now = time.GetUtcNow();
        var (parent, state) = JobTracing.Current();
        try
        {
            var submission = await store.SubmitAsync(
                new(Guid.CreateVersion7(now), owner, body.Text, body.IsGenerated, key, now, parent, state, body.Pair), context.RequestAborted);
            if (submission.Job is not { } job) return Refuse(submission.Kind).ToResult();
            if (submission.Kind is SubmissionKind.Created) metrics.Became(JobStatus.Queued);
            if (prefer.Wait is { } wait) job = await WaitAsync(owner, job, wait, context.RequestAborted);
            return Answer(context, job, prefer.Wait);
        }
        catch (JobStoreException e)
        {
            return JobEndpoints.Unavailable(e);
        }
    }

    private Refusal Refuse(SubmissionKind kind) => kind switch
    {
        SubmissionKind.KeyReused => IdempotencyKey.Reused,
        SubmissionKind.Full => new(StatusCodes.Status429TooManyRequests, "Too many jobs",
            $"As many jobs are unfinished as may be: {options.Value.Capacity}, or {store.MaxBytes / 2} bytes of them.", RetryAfterSeconds),
        SubmissionKind.ShareUsed => new(StatusCodes.Status429TooManyRequests, "Too many jobs of this key",
            "This key's jobs take up half of what may be kept, and the rest is for others.", RetryAfterSeconds),
        SubmissionKind.Vanished => new(StatusCodes.Status503ServiceUnavailable, "Jobs not available",
            "The key's job vanished while it was looked up; try again.", RetryAfter: 1),
        SubmissionKind.DiskLow => new(StatusCodes.Status507InsufficientStorage, "Disk nearly full",
            "The disk that jobs are kept on is nearly full.", RetryAfterSeconds),
        _ => new(StatusCodes.Status507InsufficientStorage, "No room for jobs",
            $"Jobs are kept for {options.Value.Retention:c}, and those kept take up the {store.MaxBytes} bytes that they may.",
            (int)Math.Clamp(options.Value.Retention.TotalSeconds, 1, RetryWhenFull.TotalSeconds)),
    };

    private static Results<Ok<RequestAnswer>, Accepted<JobDocument>, RefusalResult> Answer(
        HttpContext context, Job job, TimeSpan? wait)
    {
        var inTime = wait is not null && job.FinishedAt is not null;
        context.Response.Headers["Preference-Applied"] = Prefer.Applied(respondAsync: !inTime, wait);
        if (!inTime) return TypedResults.Accepted($"{context.Request.PathBase}/requests/{job.Id}", job.ToDocument());
        if (job.Result is { } result) return TypedResults.Ok(result);
        return (job.Error ?? new(StatusCodes.Status409Conflict, "Canceled", "The job was canceled.")).ToResult();
    }

    private async Task<Job> WaitAsync(string owner, Job job, TimeSpan wait, CancellationToken hungUp)
    {
        // Who waits for a job can as well fetch it from the next process.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(hungUp, lifetime.ApplicationStopping);
        try
        {
            return await signals.WaitAsync(owner, job.Id, wait, over.Token) ?? job;
        }
        catch (Exception e) when (e is JobStoreException or OperationCanceledException)
        {
            return job;
        }
    }
}

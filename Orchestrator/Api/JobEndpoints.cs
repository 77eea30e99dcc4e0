using System.Buffers.Binary;
using Lab.Orchestrator.Jobs;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Lab.ServiceDefaults.Requests;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Api;

/// <summary><c>GET</c> and <c>DELETE /requests/{id}</c>: a job's state and result, and its cancellation.</summary>
internal static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/requests/{id}", GetAsync).Describe(Descriptions.GetJob).WithPlainHttp();
        endpoints.MapDelete("/requests/{id}", DeleteAsync).Describe(Descriptions.CancelJob).WithPlainHttp();
    }

    /// <summary>Whose jobs the caller sees: the name of its key, or nobody's in particular where no keys are set.</summary>
    public static string JobOwner(this HttpContext context) => context.User.Identity?.Name ?? "";

    /// <summary>503: the store is not to be had; trying again soon makes sense. 507: there is no room left in it.</summary>
    public static RefusalResult Unavailable(JobStoreException e) =>
        e.IsFull ? new Refusal(StatusCodes.Status507InsufficientStorage, "Disk full", e.Message, RetryAfter: 60).ToResult()
        : new Refusal(StatusCodes.Status503ServiceUnavailable, "Jobs not available", e.Message, RetryAfter: 1).ToResult();

    private static async Task<Results<Ok<JobDocument>, RefusalResult>> GetAsync(
        string id, HttpContext context, IJobStore store, JobRunner runner, IOptions<JobsOptions> options, TimeProvider time)
    {
        try
        {
            if (!TryParse(id, out var guid, out _) || await store.FindAsync(context.JobOwner(), guid, context.RequestAborted) is not { } job)
                return Missing(id, options.Value, time).ToResult();
            if (job.Status is JobStatus.Running && runner.IsWaiting(guid)) job = job with { Status = JobStatus.Queued };
            return TypedResults.Ok(job.ToDocument());
        }
        catch (JobStoreException e)
        {
            return Unavailable(e);
        }
    }

    private static async Task<Results<NoContent, RefusalResult>> DeleteAsync(
        string id, HttpContext context, IJobStore store, JobMetrics metrics, IOptions<JobsOptions> options, TimeProvider time)
    {
        try
        {
            if (!TryParse(id, out var guid, out _)) return Missing(id, options.Value, time).ToResult();
            switch (await store.CancelAsync(context.JobOwner(), guid, context.RequestAborted))
            {
                case CancelKind.Canceled:
                    metrics.Became(JobStatus.Canceled);
                    return TypedResults.NoContent();
                case CancelKind.AlreadyFinished:
                    return new Refusal(StatusCodes.Status409Conflict, "Already finished", "The job has finished and can no longer be canceled.").ToResult();
                default:
                    return Missing(id, options.Value, time).ToResult();
            }
        }
        catch (JobStoreException e)
        {
            return Unavailable(e);
        }
    }

    // The identity itself tells when it was made, so that one that was forgotten is told from one that never was.
    private static Refusal Missing(string id, JobsOptions options, TimeProvider time) =>
        TryParse(id, out _, out var made) && time.GetUtcNow() - made > options.Retention
            ? new(StatusCodes.Status410Gone, "Expired", $"Results are kept for {options.Retention:c}.")
            : new(StatusCodes.Status404NotFound, "Not found", "There is no such job.");

    private static bool TryParse(string id, out Guid guid, out DateTimeOffset made)
    {
        made = default;
        if (!Guid.TryParseExact(id, "D", out guid) || guid.Version != 7) return false;
        Span<byte> bytes = stackalloc byte[16];
        guid.TryWriteBytes(bytes, bigEndian: true, out _);
        // RFC 9562 §5.7: the first 48 bits are milliseconds since 1970.
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes) >>> 16;
        if (milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return false;
        made = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        return true;
    }
}

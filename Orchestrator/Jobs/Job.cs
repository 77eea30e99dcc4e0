using System.Text;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Jobs;

/// <summary>How far a job has come. The last three are ends: nothing changes a finished job.</summary>
internal enum JobStatus { Queued, Running, Succeeded, Failed, Canceled }

/// <summary>What is stored of a job when it is submitted.</summary>
/// <param name="Id">Its identity, a UUID of version 7 made at <paramref name="SubmittedAt"/>.</param>
/// <param name="Owner">The name of the key that submitted it; empty where no keys are set.</param>
/// <param name="Text">The text to classify, or the first of a pair.</param>
/// <param name="IsGenerated">Whether the client sent no text, so that <paramref name="Text"/> was generated at random.</param>
/// <param name="IdempotencyKey">The client's own name for this submission, or <c>null</c>.</param>
/// <param name="SubmittedAt">When it was submitted.</param>
/// <param name="TraceParent">The trace it was submitted under (W3C Trace Context), or <c>null</c>.</param>
/// <param name="TraceState">That trace's state, or <c>null</c>.</param>
/// <param name="Pair">The second text of a pair, or <c>null</c>.</param>
internal sealed record NewJob(
    Guid Id,
    string Owner,
    string Text,
    bool IsGenerated,
    string? IdempotencyKey,
    DateTimeOffset SubmittedAt,
    string? TraceParent = null,
    string? TraceState = null,
    string? Pair = null)
{
    // What a row takes up beside its content: indexes, its own columns, and pages that are not filled.
    public const int RowBytes = 1024;

    /// <summary>What the job counts for among the bytes kept, until its end adds to it.</summary>
    public long Bytes => RowBytes + BytesOf(Owner) + BytesOf(Text) + BytesOf(Pair) + BytesOf(IdempotencyKey) + BytesOf(TraceParent) + BytesOf(TraceState);

    /// <summary>Whether a client that sends this under a key already used means the same thing.</summary>
    public bool IsSameRequestAs(string text, bool isGenerated, string? pair) => IsGenerated ? isGenerated : !isGenerated && Text == text && Pair == pair;

    private static int BytesOf(string? text) => text is null ? 0 : Encoding.UTF8.GetByteCount(text);
}

/// <summary>How a job ended: with a result or with the reason why there is none.</summary>
internal sealed record JobEnd(JobStatus Status, RequestAnswer? Result = null, Refusal? Error = null)
{
    /// <summary>The result as it is stored: without the text, which the job has already.</summary>
    public string? ResultJson => Result is null ? null
        : JsonSerializer.Serialize(Result with { InputText = "" }, WireJson.Relaxed.RequestAnswer);

    /// <summary>The error as it is stored.</summary>
    public string? ErrorJson => Error is null ? null : JsonSerializer.Serialize(Error, JobsJson.Relaxed.Refusal);

    /// <summary>How a job ends whose own end the store refuses to keep.</summary>
    public static readonly JobEnd NotKept =
        new(JobStatus.Failed, Error: new(StatusCodes.Status500InternalServerError, "Result not kept", "The job's result could not be stored."));

    /// <summary>How a job ends that nobody could finish for as long as jobs are kept.</summary>
    public static JobEnd OutOfTime(TimeSpan retention) =>
        new(JobStatus.Failed, Error: new(StatusCodes.Status504GatewayTimeout, "Deadline passed", $"Not finished within {retention:c}."));
}

/// <summary>A job as its owner sees it.</summary>
internal sealed record Job(
    Guid Id,
    JobStatus Status,
    RequestAnswer? Result,
    Refusal? Error,
    DateTimeOffset SubmittedAt,
    DateTimeOffset? FinishedAt)
{
    public JobDocument ToDocument() => new(Id.ToString(), Status.Name(), Result, Error, SubmittedAt, FinishedAt);
}

/// <summary>A job that this orchestrator is to run.</summary>
internal sealed record LeasedJob(Guid Id, string Text, DateTimeOffset SubmittedAt, string? TraceParent, string? TraceState, string? Pair = null);

/// <summary>The statuses' names, on the wire and in the stores.</summary>
internal static class JobStatusNames
{
    public static string Name(this JobStatus status) => status switch
    {
        JobStatus.Queued => "queued",
        JobStatus.Running => "running",
        JobStatus.Succeeded => "succeeded",
        JobStatus.Failed => "failed",
        _ => "canceled",
    };

    /// <summary>The status of this name, or <c>null</c>.</summary>
    public static JobStatus? Parse(string name) => name switch
    {
        "queued" => JobStatus.Queued,
        "running" => JobStatus.Running,
        "succeeded" => JobStatus.Succeeded,
        "failed" => JobStatus.Failed,
        "canceled" => JobStatus.Canceled,
        _ => null,
    };
}

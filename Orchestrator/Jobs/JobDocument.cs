using System.Text.Json.Serialization;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Jobs;

/// <summary>What the orchestrator says of a job (<c>GET /requests/{id}</c>).</summary>
/// <param name="RequestId">The job's identity, a UUID of version 7 (RFC 9562).</param>
/// <param name="Status">One of <c>queued</c>, <c>running</c>, <c>succeeded</c>, <c>failed</c>, <c>canceled</c>.</param>
/// <param name="Result">The answer, as <c>POST /new_request</c> gives it, of a job that succeeded.</param>
/// <param name="Error">Why there is no answer, of a job that failed: the members of a problem (RFC 9457).</param>
/// <param name="SubmittedAt">When the job was submitted, in UTC.</param>
/// <param name="FinishedAt">When the job finished, in UTC.</param>
public sealed record JobDocument(
    string RequestId,
    string Status,
    RequestAnswer? Result,
    Refusal? Error,
    DateTimeOffset SubmittedAt,
    DateTimeOffset? FinishedAt);

/// <summary>Source-generated JSON of what only jobs need, in the form of <see cref="WireJson"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobDocument))]
[JsonSerializable(typeof(Refusal))]
internal sealed partial class JobsJson : JsonSerializerContext
{
    public static JobsJson Relaxed { get; } = new(WireJson.CreateOptions());
}

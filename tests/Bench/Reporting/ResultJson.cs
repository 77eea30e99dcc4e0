using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Lab.Bench.Recording;

namespace Lab.Bench.Reporting;

/// <summary>The report for programs: <c>result.json</c>, members in snake_case, times in milliseconds unless their name says seconds.</summary>
internal static class ResultJson
{
    private static readonly JsonSerializerOptions Form = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Writes a report.</summary>
    public static string Write(Report report) => JsonSerializer.Serialize(
        new
        {
            schema = 1,
            report.Command,
            Run = Of(report.Run),
            Burst = report.Burst is { } burst ? Of(burst) : null,
            report.Scale,
            report.Faults,
            Soak = report.Soak is { } soak ? new { soak.IsFlat, soak.NotWatched, soak.Processes } : null,
        }, Form);

    private static object Of(RunResult result)
    {
        var run = result.Recording;
        return new
        {
            result.Orchestrator,
            result.Started,
            Load = result.Plan.Describe(),
            result.Texts,
            result.Warmup,
            result.Model,
            result.WorkersAlive,
            result.WorkersKnown,
            result.Interrupted,
            Seconds = Math.Round(run.Seconds, 3),
            run.Sent,
            run.Answered,
            run.Wrong,
            run.Lost,
            run.Refused,
            run.NotSent,
            run.GivenUp,
            Throughput = Math.Round(run.Throughput, 2),
            Latency = new { run.Total, run.Queue, run.Inference, run.Rest },
            run.Lateness,
            run.Workers,
            run.Retried,
            run.Batched,
            run.DeepestQueue,
            run.DeepestAtSeconds,
            run.QueuedSeconds,
            run.Incidents,
            result.OwnCount,
            result.CountsAgree,
            GeneratorShare = Math.Round(result.GeneratorShare, 4),
            MachineShare = result.MachineShare is { } share ? Math.Round(share, 4) : (double?)null,
            result.Machine,
            SampleAnswer = result.SampleAnswer is { } sample ? JsonNode.Parse(sample) : null,
            Warnings = result.Warnings(),
        };
    }
}

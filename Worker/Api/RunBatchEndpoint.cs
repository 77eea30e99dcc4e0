using System.Text.Json;
using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Inference;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Lab.Worker.Api;

/// <summary><c>POST /run_batch</c>: the texts of one batched dispatch, computed together, with a result or an error for each.</summary>
internal sealed class RunBatchEndpoint(ModelHost host, InferenceGate gate, WorkerTelemetry telemetry)
{
    /// <summary>The most texts in one dispatch.</summary>
    public const int MaxTexts = 32;

    /// <summary>Maps the endpoint.</summary>
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/run_batch", (HttpContext context, RunBatchEndpoint endpoint) => endpoint.HandleAsync(context));

    private async Task<Results<JsonHttpResult<BatchAnswer>, ProblemHttpResult>> HandleAsync(HttpContext context)
    {
        var (texts, refusal) = await ReadAsync(context);
        if (texts is null) return Refuse(refusal!);
        if (host.Ready is not { } model) return Refuse(NotReady.Refusal, context);
        var inputs = texts.Where(text => !string.IsNullOrWhiteSpace(text)).Select(text => new TextInput(text)).ToList();
        if (inputs.Count == 0) return Refuse(Refusal.EmptyText("Every text is empty."));
        if (gate.TryRun(() => model.Compute(inputs, TruncationPolicy.Right)) is not { } running)
            return Refuse(RunModelEndpoint.Computing, context);

        var computation = await running;
        var computed = new Queue<Classification>(computation.Results);
        var results = texts
            .Select(text => string.IsNullOrWhiteSpace(text) ? new BatchResult(Error: "The text is empty.") : ResultOf(computed.Dequeue(), model))
            .ToList();
        return TypedResults.Json(new BatchAnswer(computation.Elapsed.TotalMilliseconds, results), WireJson.Relaxed.BatchAnswer);
    }

    private static BatchResult ResultOf(Classification result, TextModel model) =>
        new(model.Description.Labels[result.Best], result.Probabilities, result.Truncated);

    private static async Task<(IReadOnlyList<string>? Texts, Refusal? Refusal)> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
            return (null, Refusal.UnsupportedMediaType("Send {\"texts\":[…]} with Content-Type: application/json."));
        try
        {
            var request = await JsonSerializer.DeserializeAsync(context.Request.Body, WireJson.Relaxed.BatchRequest, context.RequestAborted);
            return request?.Texts switch
            {
                null => (null, Refusal.Unreadable("The body has no member \"texts\".")),
                { Count: 0 } => (null, Refusal.EmptyText("The list of texts is empty.")),
                { Count: > MaxTexts } texts => (null, new(StatusCodes.Status413PayloadTooLarge, "Too many texts",
                    $"{texts.Count} texts in one dispatch; {MaxTexts} at most.")),
                var texts => (texts, null),
            };
        }
        catch (JsonException e)
        {
            return (null, Refusal.Unreadable($"The body cannot be read: {e.Message}"));
        }
        catch (BadHttpRequestException e)
        {
            return (null, e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? Refusal.TooLarge(WorkerOptions.MaxBodyBytes)
                : Refusal.Unreadable(e.Message));
        }
    }

    private ProblemHttpResult Refuse(Refusal refusal, HttpContext? retry = null)
    {
        telemetry.Refused(refusal.Status);
        retry?.Response.Headers.Append(HeaderNames.RetryAfter, "1");
        return refusal.ToProblem();
    }
}

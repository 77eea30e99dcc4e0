using System.Text.Json;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Lab.Worker.Inference;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lab.Worker.Api;

/// <summary><c>POST /run_batch</c>: the texts of one batched dispatch, computed together, with a result or an error for each.</summary>
internal static class RunBatchEndpoint
{
    /// <summary>Maps the endpoint.</summary>
    public static void MapRunBatch(this IEndpointRouteBuilder endpoints) =>
        // A lambda: a method's class would be its tag in the API's description.
        endpoints.MapPost("/run_batch", (HttpContext context, ModelHost host, InferenceGate gate, WorkerTelemetry telemetry, TimeProvider time) => PostAsync(context, host, gate, telemetry, time))
            .Describe(new("Classify the texts of one dispatch")
            {
                Id = "runBatch",
                Tag = WorkerTag.Dispatches,
                Details = "A result or an error for each text. Where any text is more than a text, \"options\" has one element for each: the second text of a pair, which end to cut, whether to tell logits. A result repeats its text's element of \"tokens\", where there are any.",
                Bodies = [("application/json", """{"texts":["What a wonderful film!","Is it good?"],"options":[null,{"pair":"It is not.","raw_scores":true}]}""")],
                BodySchema = BodySchemas.Batch,
                Answers = [new(200, "The results, in order", typeof(BatchAnswer), """{"inference_ms":4.1,"results":[{"label":"POSITIVE","probabilities":[0.02,0.98],"truncated":false},{"label":"NEGATIVE","probabilities":[0.91,0.09],"truncated":false,"logits":[1.2,-1.1]}]}""")],
                Refusals = [400, 413, 415, 422, 429, 500, 503],
            });

    private static async Task<Results<JsonHttpResult<BatchAnswer>, ComputingResult, RefusalResult>> PostAsync(
        HttpContext context, ModelHost host, InferenceGate gate, WorkerTelemetry telemetry, TimeProvider time)
    {
        if (!(await ReadAsync(context)).TryGet(out var batch, out var refusal)) return Refuse(refusal);
        if (host.Ready is not { } model) return Refuse(NotReady.Refusal);
        var options = batch.Options ?? new TextOptions?[batch.Texts.Count];
        var inputs = batch.Texts.Zip(options, InputOf).OfType<TextInput>().ToList();
        if (inputs.Count == 0) return Refuse(Refusal.EmptyText("Every text is empty."));
        var begun = time.GetTimestamp();
        if (gate.TryRun(() => model.Compute(inputs), context.RequestAborted, BusyTime.TokensOf(inputs, model.Description.MaxTokens)) is not { } running)
            return gate.IsClosed ? Refuse(RunModelEndpoint.Leaving) : RunModelEndpoint.RefuseBusy(gate, telemetry);

        var computation = await running;
        RunModelEndpoint.TellIfWanted(context.Response, gate, begun);
        var computed = new Queue<Classification>(computation.Results);
        var results = batch.Texts
            .Zip(options, (text, how) => InputOf(text, how) is null ? new BatchResult(Error: "The text is empty.") : ResultOf(computed.Dequeue(), how, model))
            .Select((result, i) => result with { Token = batch.Tokens?[i] })
            .ToList();
        return TypedResults.Json(new BatchAnswer(computation.Elapsed.TotalMilliseconds, results), WireJson.Relaxed.BatchAnswer);

        RefusalResult Refuse(Refusal why)
        {
            telemetry.Refused(why.Status);
            return why.ToResult();
        }
    }

    private static TextInput? InputOf(string text, TextOptions? options) =>
        string.IsNullOrWhiteSpace(text) || options?.Pair is { } pair && string.IsNullOrWhiteSpace(pair) ? null
        : new(text, options?.Pair, options is { CutLeft: true } ? TruncationPolicy.Left : TruncationPolicy.Right);

    private static BatchResult ResultOf(Classification result, TextOptions? options, TextModel model) => new(
        model.Description.LabelOf(result), result.Probabilities, result.Truncated,
        Logits: options is { RawScores: true } ? result.Logits : null, Labels: model.Description.LabelsOf(result));

    private static async Task<Result<BatchRequest>> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
            return Refusal.UnsupportedMediaType("Send {\"texts\":[…]} with Content-Type: application/json.");
        try
        {
            var request = await JsonSerializer.DeserializeAsync(context.Request.Body, WireJson.Relaxed.BatchRequest, context.RequestAborted);
            return request switch
            {
                not { Texts: not null } => Refusal.Unreadable("The body has no member \"texts\"."),
                { Texts.Count: 0 } => Refusal.EmptyText("The list of texts is empty."),
                { Texts.Count: > TextInput.MaxInputs } => Refusal.TooManyInputs(request.Texts.Count),
                { Options: { } options } when options.Count != request.Texts.Count =>
                    Refusal.Impossible("\"options\" has not one element for each text."),
                { Tokens: { } tokens } when tokens.Count != request.Texts.Count =>
                    Refusal.Impossible("\"tokens\" has not one element for each text."),
                _ => request,
            };
        }
        catch (JsonException e)
        {
            return Refusal.Unreadable($"The body cannot be read: {e.Message}");
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? Refusal.TooLarge(WorkerOptions.MaxBodyBytes)
                : Refusal.Unreadable(e.Message);
        }
    }
}

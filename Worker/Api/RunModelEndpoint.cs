using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Lab.Worker.Inference;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lab.Worker.Api;

/// <summary><c>POST /run_model</c>: one text or pair of texts, one answer.</summary>
internal static class RunModelEndpoint
{
    /// <summary>The gate is taken.</summary>
    public static readonly Refusal Computing =
        new(StatusCodes.Status429TooManyRequests, "Computing", "The worker is computing; it takes one request at a time.", RetryAfter: 1);

    /// <summary>The gate is closed: as to whoever finds it taken, another worker may be free.</summary>
    public static readonly Refusal Leaving =
        new(StatusCodes.Status429TooManyRequests, "Leaving", "The worker's machine is about to go; it takes no more requests.", RetryAfter: 1);

    /// <summary>Maps the endpoint.</summary>
    public static void MapRunModel(this IEndpointRouteBuilder endpoints) =>
        // A lambda: a method's class would be its tag in the API's description.
        endpoints.MapPost("/run_model", (HttpContext context, ModelHost host, InferenceGate gate, WorkerTelemetry telemetry, TimeProvider time) => PostAsync(context, host, gate, telemetry, time))
            .Describe(new("Classify one text or pair of texts")
            {
                Id = "runModel",
                Tag = WorkerTag.Dispatches,
                Details = "The text as JSON or as text/plain; without a body 50 random letters and spaces. With \"text_pair\" it is a pair of texts, of which the answer repeats the first. Too long a text loses its end, and the answer says so. A model for several labels at once adds \"labels\": all of probability 0.5 and more.",
                Bodies = [("application/json", """{"text":"What a wonderful film!"}"""), ("text/plain", "What a wonderful film!")],
                BodySchema = BodySchemas.Text,
                NeedsBody = false,
                Answers = [new(200, "The answer", typeof(ModelAnswer), """{"input_text":"What a wonderful film!","label":"POSITIVE","probabilities":[0.02,0.98],"inference_ms":2.5,"truncated":false}""")],
                Refusals = [400, 413, 415, 422, 429, 500, 503],
            });

    /// <summary>Tells whoever asks for a dispatch that the gate is taken, and for how long.</summary>
    public static ComputingResult RefuseBusy(InferenceGate gate, WorkerTelemetry telemetry)
    {
        telemetry.Refused(Computing.Status);
        return new(gate.BusyMilliseconds);
    }

    /// <summary>Tells whoever asked for a dispatch that it has met others, of whom one had to wait or was refused.</summary>
    public static void TellIfWanted(HttpResponse response, InferenceGate gate, long since)
    {
        if (gate.HasMetSince(since)) response.Headers[DispatchHeaders.Wanted] = "1";
    }

    private static async Task<Results<JsonHttpResult<ModelAnswer>, ComputingResult, RefusalResult>> PostAsync(
        HttpContext context, ModelHost host, InferenceGate gate, WorkerTelemetry telemetry, TimeProvider time)
    {
        if (!(await TextBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out var refusal)) return Refuse(refusal);
        if (host.Ready is not { } model) return Refuse(NotReady.Refusal);
        var text = body.Text;
        TextInput[] inputs = [new(text, body.Pair)];
        var begun = time.GetTimestamp();
        if (gate.TryRun(() => model.Compute(inputs), context.RequestAborted, BusyTime.TokensOf(inputs, model.Description.MaxTokens)) is not { } running)
            return gate.IsClosed ? Refuse(Leaving) : RefuseBusy(gate, telemetry);
        var computation = await running;
        TellIfWanted(context.Response, gate, begun);
        var result = computation.Results[0];
        return TypedResults.Json(
            new ModelAnswer(text, model.Description.LabelOf(result), result.Probabilities,
                computation.Elapsed.TotalMilliseconds, result.Truncated, model.Description.LabelsOf(result)),
            WireJson.Relaxed.ModelAnswer);

        RefusalResult Refuse(Refusal why)
        {
            telemetry.Refused(why.Status);
            return why.ToResult();
        }
    }
}

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

    /// <summary>Maps the endpoint.</summary>
    public static void MapRunModel(this IEndpointRouteBuilder endpoints) =>
        // A lambda: a method's class would be its tag in the API's description.
        endpoints.MapPost("/run_model", (HttpContext context, ModelHost host, InferenceGate gate, WorkerTelemetry telemetry) => PostAsync(context, host, gate, telemetry))
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

    private static async Task<Results<JsonHttpResult<ModelAnswer>, RefusalResult>> PostAsync(
        HttpContext context, ModelHost host, InferenceGate gate, WorkerTelemetry telemetry)
    {
        if (!(await TextBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out var refusal)) return Refuse(refusal);
        if (host.Ready is not { } model) return Refuse(NotReady.Refusal);
        var text = body.Text;
        if (gate.TryRun(() => model.Compute([new(text, body.Pair)]), context.RequestAborted) is not { } running)
            return Refuse(Computing);
        var computation = await running;
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

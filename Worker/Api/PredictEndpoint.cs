using System.Globalization;
using Lab.Worker.Inference;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Lab.Worker.Api;

/// <summary><c>POST /predict</c>, the contract of text-embeddings-inference.</summary>
internal sealed partial class PredictEndpoint(
    ModelHost host, InferenceGate gate, WorkerTelemetry telemetry, ILogger<PredictEndpoint> logger)
{
    /// <summary>The header that tells the time of tokenisation and inference, in milliseconds.</summary>
    public const string InferenceTimeHeader = "x-inference-time";

    /// <summary>Maps the endpoint.</summary>
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/predict", (HttpContext context, PredictEndpoint endpoint) => endpoint.HandleAsync(context));

    private async Task<IResult> HandleAsync(HttpContext context)
    {
        try
        {
            var (request, error) = await ReadAsync(context.Request, context.RequestAborted);
            if (request is null) return Refuse(error!);
            if (host.Ready is not { } model) return Refuse(PredictError.Unhealthy, context);
            if (gate.TryRun(() => model.Compute(request.Inputs, request.Policy)) is not { } running)
                return Refuse(PredictError.Overloaded, context);
            var computation = await running;
            if (computation.TooLong is { } input)
            {
                return Refuse(PredictError.Validation(StatusCodes.Status413PayloadTooLarge,
                    $"Input {input} has more than {model.Description.MaxTokens} tokens; set `truncate` to have it cut"));
            }

            context.Response.Headers[InferenceTimeHeader] =
                computation.Elapsed.TotalMilliseconds.ToString("F3", CultureInfo.InvariantCulture);
            return Answer(request, computation, model.Description.Labels);
        }
#pragma warning disable CA1031 // The protocol has its own shape for whatever went wrong.
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailure(e);
            return Refuse(PredictError.Backend);
        }
    }

    private static IResult Answer(PredictRequest request, Computation computation, IReadOnlyList<string> labels)
    {
        var scores = computation.Results.Select(result => Scores(result, request.RawScores, labels)).ToArray();
        return request.IsBatch
            ? TypedResults.Json(scores, WorkerJson.Relaxed.PredictScoreArrayArray)
            : TypedResults.Json(scores[0], WorkerJson.Relaxed.PredictScoreArray);
    }

    private static PredictScore[] Scores(Classification result, bool raw, IReadOnlyList<string> labels) =>
        [.. (raw ? result.Logits : result.Probabilities)
            .Select((score, id) => new PredictScore(score, labels[id]))
            .OrderByDescending(score => score.Score)];

    private static async Task<(PredictRequest? Request, PredictError? Error)> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (request.Headers.ContentEncoding.Count > 0)
            return (null, PredictError.Validation(StatusCodes.Status415UnsupportedMediaType, "Send the body without Content-Encoding"));
        if (!string.IsNullOrEmpty(request.ContentType) && !IsJson(request.ContentType))
            return (null, PredictError.Validation(StatusCodes.Status415UnsupportedMediaType, "Send Content-Type: application/json"));
        try
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body, cancellation);
            return PredictRequest.Parse(body.GetBuffer().AsMemory(0, (int)body.Length));
        }
        catch (BadHttpRequestException e)
        {
            var limit = request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;
            return (null, PredictError.Validation(e.StatusCode, e.StatusCode is StatusCodes.Status413PayloadTooLarge
                ? $"The body is larger than the limit of {limit} bytes"
                : e.Message));
        }
    }

    private static bool IsJson(string contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase));

    private JsonHttpResult<PredictError> Refuse(PredictError error, HttpContext? retry = null)
    {
        telemetry.Refused(error.Status);
        retry?.Response.Headers.Append(HeaderNames.RetryAfter, "1");
        return error.ToResult();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request to /predict failed")]
    private partial void LogFailure(Exception exception);
}

using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lab.Worker.Api;

/// <summary>A refusal in the shape of text-embeddings-inference.</summary>
/// <param name="Error">What was wrong.</param>
/// <param name="ErrorType">One of <c>empty</c>, <c>validation</c>, <c>tokenizer</c>, <c>backend</c>, <c>overloaded</c>, <c>unhealthy</c>.</param>
/// <param name="Status">The HTTP status, which does not travel in the body.</param>
internal sealed record PredictError(
    string Error, string ErrorType, [property: JsonIgnore] int Status)
{
    /// <summary>There is nothing in the batch.</summary>
    public static PredictError Empty { get; } = new("`inputs` is an empty batch", "empty", StatusCodes.Status400BadRequest);

    /// <summary>A computation is under way.</summary>
    public static PredictError Overloaded { get; } =
        new("The worker is computing; it takes one request at a time", "overloaded", StatusCodes.Status429TooManyRequests);

    /// <summary>The model is not loaded yet.</summary>
    public static PredictError Unhealthy { get; } =
        new("The model is not ready yet", "unhealthy", StatusCodes.Status503ServiceUnavailable);

    /// <summary>The computation failed.</summary>
    public static PredictError Backend { get; } = new("The computation failed", "backend", StatusCodes.Status500InternalServerError);

    /// <summary>The request is wrong.</summary>
    public static PredictError Validation(int status, string error) => new(error, "validation", status);

    /// <summary>The refusal as a response.</summary>
    public JsonHttpResult<PredictError> ToResult() =>
        TypedResults.Json(this, WorkerJson.Relaxed.PredictError, statusCode: Status);
}

/// <summary>One label with its score.</summary>
/// <param name="Score">A probability in [0, 1], or the logit where raw scores were asked for.</param>
/// <param name="Label">The label.</param>
internal sealed record PredictScore(float Score, string Label);

using Microsoft.AspNetCore.Http;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>A refusal in the shape of text-embeddings-inference.</summary>
/// <param name="Error">What was wrong.</param>
/// <param name="ErrorType">One of <c>empty</c>, <c>validation</c>, <c>tokenizer</c>, <c>backend</c>, <c>overloaded</c>, <c>unhealthy</c>.</param>
public sealed record PredictError(string Error, string ErrorType)
{
    internal static PredictError Of(Refusal refusal) => new(refusal.Detail, refusal.Status switch
    {
        StatusCodes.Status429TooManyRequests => "overloaded",
        StatusCodes.Status503ServiceUnavailable => "unhealthy",
        >= 500 or StatusCodes.Status424FailedDependency => "backend",
        _ when refusal.Title == Refusal.EmptyBatchTitle => "empty",
        _ when refusal.Title == Refusal.RejectedTitle => "tokenizer",
        _ => "validation",
    });
}

/// <summary>One label with its score.</summary>
/// <param name="Score">A probability in [0, 1], the number itself of a regression, or the logit where raw scores were asked for.</param>
/// <param name="Label">The label.</param>
public sealed record PredictScore(float Score, string Label);

/// <summary>One text in the order that it was put in.</summary>
/// <param name="Index">Its place among the texts of the request, from 0.</param>
/// <param name="Text">The text, where it was asked for.</param>
/// <param name="Score">How well it fits the query: a number in [0, 1], or the logit where raw scores were asked for.</param>
public sealed record Rank(int Index, string? Text, float Score);

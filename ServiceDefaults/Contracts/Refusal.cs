using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>Why a request is not answered: told to the client as <c>application/problem+json</c> (RFC 9457).</summary>
/// <param name="Status">The HTTP status, 400 to 599.</param>
/// <param name="Title">The kind of refusal in a few words, the same for every occurrence.</param>
/// <param name="Detail">What was wrong with this request, and what to do about it.</param>
public sealed record Refusal(int Status, string Title, string Detail)
{
    /// <summary>The refusal as a response.</summary>
    public ProblemHttpResult ToProblem() => TypedResults.Problem(Detail, statusCode: Status, title: Title);

    /// <summary>400: the body cannot be read as what its content type says.</summary>
    public static Refusal Unreadable(string detail) => new(StatusCodes.Status400BadRequest, "Unreadable body", detail);

    /// <summary>400: there is no text to classify.</summary>
    public static Refusal EmptyText(string detail) => new(StatusCodes.Status400BadRequest, "Empty text", detail);

    /// <summary>413: the body is larger than the limit.</summary>
    public static Refusal TooLarge(long? limit) => new(StatusCodes.Status413PayloadTooLarge, "Body too large",
        limit is null ? "The body is larger than this server accepts." : $"The body is larger than the limit of {limit} bytes.");

    /// <summary>415: the body is of a media type that is not understood.</summary>
    public static Refusal UnsupportedMediaType(string detail) =>
        new(StatusCodes.Status415UnsupportedMediaType, "Unsupported media type", detail);

    /// <summary>422: the body is readable but not a thing that can be classified.</summary>
    public static Refusal Impossible(string detail) =>
        new(StatusCodes.Status422UnprocessableEntity, "Impossible request", detail);
}

using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>Why a request is not answered: told to the client as <c>application/problem+json</c> (RFC 9457).</summary>
/// <param name="Status">The HTTP status, 400 to 599.</param>
/// <param name="Title">The kind of refusal in a few words, the same for every occurrence.</param>
/// <param name="Detail">What was wrong with this request, and what to do about it.</param>
/// <param name="RetryAfter">In how many seconds to try again, where that makes sense.</param>
public sealed record Refusal(int Status, string Title, string Detail, [property: JsonIgnore] int? RetryAfter = null)
{
    internal const string EmptyBatchTitle = "Empty batch";
    internal const string RejectedTitle = "Rejected by the model";

    /// <summary>The refusal as a response, in the endpoint's <see cref="ErrorShape"/>.</summary>
    public RefusalResult ToResult() => new(this);

    /// <summary>400: the body cannot be read as what its content type says.</summary>
    public static Refusal Unreadable(string detail) => new(StatusCodes.Status400BadRequest, "Unreadable body", detail);

    /// <summary>400: there is no text to classify.</summary>
    public static Refusal EmptyText(string detail) => new(StatusCodes.Status400BadRequest, "Empty text", detail);

    /// <summary>400: there is not even one input.</summary>
    public static Refusal EmptyBatch(string detail) => new(StatusCodes.Status400BadRequest, EmptyBatchTitle, detail);

    /// <summary>403: a browser sends a change for another site's page.</summary>
    public static Refusal ForeignPage { get; } = new(StatusCodes.Status403Forbidden, "Another site's page",
        "A browser has sent this for a page of another site, which may change nothing here. If it was this server's own, a proxy on the way must pass on the host name that it was called by: X-Forwarded-Host.");

    /// <summary>404: there is nothing of that name.</summary>
    public static Refusal NotFound(string detail) => new(StatusCodes.Status404NotFound, "Not found", detail);

    /// <summary>413: a text has more tokens than the model reads, and was not to be cut.</summary>
    public static Refusal TooLong(int input, int maxTokens) => new(StatusCodes.Status413PayloadTooLarge, "Text too long",
        $"Input {input} has more than {maxTokens} tokens; set `truncate` to have it cut.");

    /// <summary>413: more inputs than one request may bring.</summary>
    public static Refusal TooManyInputs(long count) => new(StatusCodes.Status413PayloadTooLarge, "Too many inputs",
        $"{count} inputs; at most {TextInput.MaxInputs} are taken in one request.");

    /// <summary>422: the model will not read this text.</summary>
    public static Refusal Rejected(string? detail) =>
        new(StatusCodes.Status422UnprocessableEntity, RejectedTitle, detail ?? RejectedTitle);

    /// <summary>503: it is not known yet which model answers here.</summary>
    public static Refusal ModelUnknown { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "Not ready", "The model is not ready yet.", RetryAfter: 1);

    /// <summary>What a status says by itself.</summary>
    public static Refusal OfStatus(int status)
    {
        var phrase = ReasonPhrases.GetReasonPhrase(status);
        if (phrase.Length == 0) phrase = "Error";
        return new(status, phrase, status switch
        {
            StatusCodes.Status401Unauthorized => "Send a valid key: Authorization: Bearer <key>.",
            StatusCodes.Status403Forbidden => "This needs a key with the admin scope.",
            StatusCodes.Status404NotFound => "There is nothing at this path.",
            StatusCodes.Status405MethodNotAllowed => "This path does not take this method.",
            StatusCodes.Status429TooManyRequests => "This key has made too many requests.",
            StatusCodes.Status500InternalServerError => "Something went wrong on this side.",
            _ => phrase,
        });
    }

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

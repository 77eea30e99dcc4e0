using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Api;

/// <summary>
/// The header <c>Idempotency-Key</c> (after draft-ietf-httpapi-idempotency-key-header, without its quotes): a client
/// that got no answer sends the same again and gets the same job.
/// </summary>
internal static class IdempotencyKey
{
    private const string Header = "Idempotency-Key";
    private const int MaxLength = 255;

    /// <summary>422: the key stands for another request.</summary>
    public static Refusal Reused { get; } = new(StatusCodes.Status422UnprocessableEntity, "Idempotency key reused",
        $"This {Header} was used before with another body.");

    /// <summary>Reads the key.</summary>
    /// <param name="headers">The request's headers.</param>
    /// <param name="key">1 to 255 printable ASCII characters, or <c>null</c> when there is no such header.</param>
    /// <returns>400 when it is no key, else <c>null</c>.</returns>
    public static Refusal? Read(IHeaderDictionary headers, out string? key)
    {
        key = null;
        if (!headers.TryGetValue(Header, out var values)) return null;
        if (values is not [{ Length: >= 1 and <= MaxLength } value] || value.Any(character => character is < ' ' or > '~'))
            return new(StatusCodes.Status400BadRequest, "Bad idempotency key", $"{Header} must be 1 to {MaxLength} printable ASCII characters.");
        key = value;
        return null;
    }
}

using System.Text.Json;
using Lab.Worker.Inference;

namespace Lab.Worker.Api;

/// <summary>
/// The body of <c>POST /predict</c> (text-embeddings-inference): <c>inputs</c> is a text, an array of exactly two texts
/// (a pair, which is one input), an array of one text, or an array of arrays of one or two texts (a batch).
/// </summary>
/// <param name="Inputs">1 to <see cref="MaxInputs"/> inputs, no text of them empty.</param>
/// <param name="IsBatch">Whether the answer is a list for each input rather than one list.</param>
/// <param name="RawScores">Whether logits are asked for rather than probabilities.</param>
/// <param name="Policy">What to do with too long an input.</param>
internal sealed record PredictRequest(
    IReadOnlyList<TextInput> Inputs, bool IsBatch, bool RawScores, TruncationPolicy Policy)
{
    /// <summary>The most inputs in one request.</summary>
    public const int MaxInputs = 32;

    /// <summary>Reads a body.</summary>
    /// <returns>The request, or why it is refused: 400, 413 or 422.</returns>
    public static (PredictRequest? Request, PredictError? Error) Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return (Parse(document.RootElement), null);
        }
        catch (RefusedException e)
        {
            return (null, e.Error);
        }
        catch (JsonException e)
        {
            return (null, Invalid(StatusCodes.Status400BadRequest, $"The body is not JSON: {e.Message}").Error);
        }
        catch (InvalidOperationException)
        {
            // The reader's word for bytes that are not UTF-8 and for an escaped surrogate without its other half.
            return (null, Invalid(StatusCodes.Status400BadRequest, "A text is not valid Unicode: invalid UTF-8 or a lone surrogate").Error);
        }
    }

    private static PredictRequest Parse(JsonElement root)
    {
        if (root.ValueKind is not JsonValueKind.Object)
            throw Invalid(StatusCodes.Status422UnprocessableEntity, "The body is not an object; send {\"inputs\": …}");
        if (!root.TryGetProperty("inputs", out var inputs))
            throw Invalid(StatusCodes.Status422UnprocessableEntity, "`inputs` is missing");
        var left = Direction(root);
        var policy = !Flag(root, "truncate") ? TruncationPolicy.Refuse : left ? TruncationPolicy.Left : TruncationPolicy.Right;
        var isBatch = inputs.ValueKind is JsonValueKind.Array && inputs.GetArrayLength() > 0
            && inputs[0].ValueKind is JsonValueKind.Array;
        return new(isBatch ? Batch(inputs) : [Single(inputs)], isBatch, Flag(root, "raw_scores"), policy);
    }

    private static TextInput[] Batch(JsonElement inputs)
    {
        if (inputs.GetArrayLength() is > MaxInputs and var count)
            throw Invalid(StatusCodes.Status413PayloadTooLarge, $"`inputs` has {count} inputs; at most {MaxInputs} are taken in one request");
        return [.. inputs.EnumerateArray().Select(input => input.ValueKind is JsonValueKind.Array
            ? Single(input)
            : throw Invalid(StatusCodes.Status422UnprocessableEntity, "Every input of a batch must be an array of one or two strings"))];
    }

    private static TextInput Single(JsonElement input)
    {
        if (input.ValueKind is JsonValueKind.String) return new(Text(input));
        if (input.ValueKind is not JsonValueKind.Array)
            throw Invalid(StatusCodes.Status422UnprocessableEntity, "`inputs` must be a string, an array of two strings, or an array of arrays of strings");
        return input.GetArrayLength() switch
        {
            0 => throw new RefusedException(PredictError.Empty),
            1 => new(Text(input[0])),
            2 => new(Text(input[0]), Text(input[1])),
            _ => throw Invalid(StatusCodes.Status422UnprocessableEntity,
                "An input is one string or a pair of two; send a batch as an array of arrays: [[\"a\"], [\"b\"], [\"c\"]]"),
        };
    }

    private static string Text(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.String)
            throw Invalid(StatusCodes.Status422UnprocessableEntity, "An input is not a string");
        var text = value.GetString()!;
        return string.IsNullOrWhiteSpace(text)
            ? throw Invalid(StatusCodes.Status400BadRequest, "`inputs` cannot be empty")
            : text;
    }

    private static bool Flag(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Null => false,
            _ => throw Invalid(StatusCodes.Status422UnprocessableEntity, $"`{name}` is neither true nor false"),
        };

    private static bool Direction(JsonElement root)
    {
        if (!root.TryGetProperty("truncation_direction", out var value) || value.ValueKind is JsonValueKind.Null) return false;
        var name = value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        // Hugging Face's server writes the words in either case.
        if (string.Equals(name, "left", StringComparison.OrdinalIgnoreCase)) return true;
        if (string.Equals(name, "right", StringComparison.OrdinalIgnoreCase)) return false;
        throw Invalid(StatusCodes.Status422UnprocessableEntity, "`truncation_direction` is neither \"left\" nor \"right\"");
    }

    private static RefusedException Invalid(int status, string error) => new(PredictError.Validation(status, error));

    private sealed class RefusedException(PredictError error) : Exception
    {
        public PredictError Error { get; } = error;
    }
}

using System.Text.Json;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>
/// The body of <c>POST /predict</c> (text-embeddings-inference): <c>inputs</c> is a text, an array of exactly two texts
/// (a pair, which is one input), an array of one text, or an array of arrays of one or two texts (a batch).
/// </summary>
/// <param name="Inputs">1 to <see cref="TextInput.MaxInputs"/> inputs, no text of them empty.</param>
/// <param name="IsBatch">Whether the answer is a list for each input rather than one list.</param>
/// <param name="RawScores">Whether logits are asked for rather than probabilities.</param>
public sealed record PredictRequest(IReadOnlyList<TextInput> Inputs, bool IsBatch, bool RawScores)
{
    /// <summary>Reads a body.</summary>
    /// <returns>The request, or why it is refused: 400, 413 or 422.</returns>
    public static Result<PredictRequest> Parse(ReadOnlyMemory<byte> body) => JsonBody.Parse(body, Parse);

    private static PredictRequest Parse(JsonElement root)
    {
        if (root.ValueKind is not JsonValueKind.Object)
            throw PredictMembers.Impossible("The body is not an object; send {\"inputs\": …}.");
        if (!root.TryGetProperty("inputs", out var inputs))
            throw PredictMembers.Impossible("`inputs` is missing.");
        var policy = PredictMembers.Policy(root);
        var isBatch = inputs.ValueKind is JsonValueKind.Array && inputs.GetArrayLength() > 0
            && inputs[0].ValueKind is JsonValueKind.Array;
        return new(isBatch ? Batch(inputs, policy) : [Single(inputs, policy)], isBatch, PredictMembers.Flag(root, "raw_scores"));
    }

    private static TextInput[] Batch(JsonElement inputs, TruncationPolicy policy)
    {
        if (inputs.GetArrayLength() is > TextInput.MaxInputs and var count)
            throw new RefusedException(Refusal.TooManyInputs(count));
        return [.. inputs.EnumerateArray().Select(input => input.ValueKind is JsonValueKind.Array
            ? Single(input, policy)
            : throw PredictMembers.Impossible("Every input of a batch must be an array of one or two strings."))];
    }

    private static TextInput Single(JsonElement input, TruncationPolicy policy)
    {
        if (input.ValueKind is JsonValueKind.String) return new(Text(input), Policy: policy);
        if (input.ValueKind is not JsonValueKind.Array)
            throw PredictMembers.Impossible("`inputs` must be a string, an array of two strings, or an array of arrays of strings.");
        return input.GetArrayLength() switch
        {
            0 => throw new RefusedException(Refusal.EmptyBatch("`inputs` is an empty batch.")),
            1 => new(Text(input[0]), Policy: policy),
            2 => new(Text(input[0]), Text(input[1]), policy),
            _ => throw PredictMembers.Impossible("An input is one string or a pair of two; send a batch as an array of arrays: [[\"a\"], [\"b\"], [\"c\"]]."),
        };
    }

    private static string Text(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.String)
            throw PredictMembers.Impossible("An input is not a string.");
        var text = value.GetString()!;
        return string.IsNullOrWhiteSpace(text)
            ? throw new RefusedException(Refusal.EmptyText("`inputs` cannot be empty."))
            : text;
    }
}

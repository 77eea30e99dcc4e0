using System.Text.Json;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>
/// The body of <c>POST /rerank</c> (RerankRequest of text-embeddings-inference, <c>docs/openapi.json</c>): a query, and the
/// texts that are to be put in order by how well they fit it.
/// </summary>
/// <param name="Inputs">1 to <see cref="TextInput.MaxInputs"/> pairs, the query first and the text second; neither is empty.</param>
/// <param name="RawScores">Whether logits are asked for rather than their logistic function.</param>
/// <param name="ReturnText">Whether the answer repeats the texts.</param>
public sealed record RerankRequest(IReadOnlyList<TextInput> Inputs, bool RawScores, bool ReturnText)
{
    /// <summary>Reads a body.</summary>
    /// <returns>The request, or why it is refused: 400, 413 or 422.</returns>
    public static Result<RerankRequest> Parse(ReadOnlyMemory<byte> body) => JsonBody.Parse(body, Parse);

    private static RerankRequest Parse(JsonElement root)
    {
        if (root.ValueKind is not JsonValueKind.Object)
            throw PredictMembers.Impossible("The body is not an object; send {\"query\": …, \"texts\": […]}.");
        if (!root.TryGetProperty("query", out var query)) throw PredictMembers.Impossible("`query` is missing.");
        if (!root.TryGetProperty("texts", out var texts)) throw PredictMembers.Impossible("`texts` is missing.");
        if (texts.ValueKind is not JsonValueKind.Array) throw PredictMembers.Impossible("`texts` is not an array of strings.");
        var first = Text(query, "`query`");
        var policy = PredictMembers.Policy(root);
        return texts.GetArrayLength() switch
        {
            0 => throw new RefusedException(Refusal.EmptyBatch("`texts` cannot be empty.")),
            > TextInput.MaxInputs and var count => throw new RefusedException(Refusal.TooManyInputs(count)),
            _ => new(
                [.. texts.EnumerateArray().Select((text, i) => new TextInput(first, Text(text, $"Text {i} of `texts`"), policy))],
                PredictMembers.Flag(root, "raw_scores"), PredictMembers.Flag(root, "return_text")),
        };
    }

    private static string Text(JsonElement value, string what)
    {
        if (value.ValueKind is not JsonValueKind.String) throw PredictMembers.Impossible($"{what} is not a string.");
        var text = value.GetString()!;
        return string.IsNullOrWhiteSpace(text) ? throw new RefusedException(Refusal.EmptyText($"{what} is empty.")) : text;
    }
}

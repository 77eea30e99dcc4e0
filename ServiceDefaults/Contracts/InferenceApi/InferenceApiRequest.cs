using System.Text.Json;

namespace Lab.ServiceDefaults.Contracts.InferenceApi;

/// <summary>
/// The body of <c>POST /</c>: <c>inputs</c> is a text or a list of them, <c>parameters</c> those of the task
/// (TextClassificationInput of huggingface/huggingface.js, <c>packages/tasks</c>). As in transformers' pipeline a text may also be
/// <c>{"text","text_pair"}</c>. Members beyond these are passed over, as <c>options</c> is, with which clients tell the hub's own
/// servers to wait or to cache.
/// </summary>
/// <param name="Inputs">1 to <see cref="TextInput.MaxInputs"/> inputs, no text of them empty.</param>
/// <param name="TopK">The most labels in an answer, at least 1; <c>null</c> for all.</param>
/// <param name="Function">What makes scores of logits; <c>null</c> for the model's own.</param>
public sealed record InferenceApiRequest(IReadOnlyList<TextInput> Inputs, int? TopK, ScoreFunction? Function)
{
    /// <summary>Reads a body.</summary>
    /// <returns>The request, or why it is refused: 400, 413 or 422.</returns>
    public static Result<InferenceApiRequest> Parse(ReadOnlyMemory<byte> body) => JsonBody.Parse(body, Parse);

    private static InferenceApiRequest Parse(JsonElement root)
    {
        if (root.ValueKind is not JsonValueKind.Object) throw Impossible("The body is not an object; send {\"inputs\": …}.");
        if (!root.TryGetProperty("inputs", out var inputs)) throw Impossible("`inputs` is missing.");
        var policy = IsCut(root) ? TruncationPolicy.Right : TruncationPolicy.Refuse;
        return new(InputsOf(inputs, policy), TopKOf(root), FunctionOf(root));
    }

    private static TextInput[] InputsOf(JsonElement inputs, TruncationPolicy policy)
    {
        if (inputs.ValueKind is not JsonValueKind.Array) return [Input(inputs, policy)];
        return inputs.GetArrayLength() switch
        {
            0 => throw new RefusedException(Refusal.EmptyBatch("`inputs` is an empty list.")),
            > TextInput.MaxInputs and var count => throw new RefusedException(Refusal.TooManyInputs(count)),
            _ => [.. inputs.EnumerateArray().Select(input => Input(input, policy))],
        };
    }

    private static TextInput Input(JsonElement input, TruncationPolicy policy)
    {
        if (input.ValueKind is not JsonValueKind.Object) return new(Text(input), Policy: policy);
        if (!input.TryGetProperty("text", out var text)) throw Impossible("An input that is an object has no member `text`.");
        var isPair = input.TryGetProperty("text_pair", out var pair) && pair.ValueKind is not JsonValueKind.Null;
        return new(Text(text), isPair ? Text(pair) : null, policy);
    }

    private static string Text(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.String)
            throw Impossible("`inputs` must be a string, a list of strings, or {\"text\", \"text_pair\"} in their place.");
        var text = value.GetString()!;
        return string.IsNullOrWhiteSpace(text) ? throw new RefusedException(Refusal.EmptyText("`inputs` cannot be empty.")) : text;
    }

    private static int? TopKOf(JsonElement root)
    {
        if (Parameter(root, "top_k") is not { } value) return null;
        // More than an int holds is more than any model has labels.
        if (value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var number) && number >= 1 && double.IsInteger(number))
            return (int)Math.Min(number, int.MaxValue);
        throw Impossible("`top_k` is not a whole number of 1 or more.");
    }

    private static ScoreFunction? FunctionOf(JsonElement root)
    {
        if (Parameter(root, "function_to_apply") is not { } value) return null;
        var name = value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        foreach (var function in Enum.GetValues<ScoreFunction>())
            if (string.Equals(name, function.ToString(), StringComparison.OrdinalIgnoreCase)) return function;
        throw Impossible("`function_to_apply` is neither \"sigmoid\" nor \"softmax\" nor \"none\".");
    }

    // The pipeline's own word, and text-embeddings-inference's.
    private static bool IsCut(JsonElement root) => Flag(root, "truncation") || Flag(root, "truncate");

    private static bool Flag(JsonElement root, string name) => Parameter(root, name) switch
    {
        null or { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.True } => true,
        _ => throw Impossible($"`{name}` is neither true nor false."),
    };

    // Some versions of huggingface_hub write parameters beside the inputs.
    private static JsonElement? Parameter(JsonElement root, string name)
    {
        if (Find(root, "parameters") is not { } parameters) return Find(root, name);
        if (parameters.ValueKind is not JsonValueKind.Object) throw Impossible("`parameters` is not an object.");
        return Find(parameters, name) ?? Find(root, name);
    }

    // Writers of other languages send what is not there as null.
    private static JsonElement? Find(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;

    private static RefusedException Impossible(string detail) => new(Refusal.Impossible(detail));
}

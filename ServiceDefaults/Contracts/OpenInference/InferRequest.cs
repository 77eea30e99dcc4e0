using System.Text.Json;

namespace Lab.ServiceDefaults.Contracts.OpenInference;

/// <summary>
/// The body of <c>POST /v2/models/{model}/infer</c> (Open Inference Protocol v2, REST): one input tensor
/// <c>text</c> of datatype BYTES and shape [n] or [n, 1].
/// </summary>
/// <param name="Id">The client's name for this request, returned in the answer.</param>
/// <param name="Texts">1 to <see cref="TextInput.MaxInputs"/> texts, none of them empty.</param>
/// <param name="Outputs">The output tensors asked for, each once, in the order in which they are to be returned.</param>
public sealed record InferRequest(string? Id, IReadOnlyList<string> Texts, IReadOnlyList<string> Outputs)
{
    /// <summary>The input tensor: a text for each element.</summary>
    public const string Input = "text";

    /// <summary>The output tensor of shape [n, classes] and datatype FP32: the scores of each text, of a regression the numbers themselves.</summary>
    public const string Probabilities = "probabilities";

    /// <summary>The output tensor of shape [n] and datatype BYTES: the class with the highest score of each text.</summary>
    public const string Label = "label";

    /// <summary>The datatype of <see cref="Input"/> and <see cref="Label"/>.</summary>
    public const string TextDatatype = "BYTES";

    /// <summary>The datatype of <see cref="Probabilities"/>.</summary>
    public const string NumberDatatype = "FP32";

    /// <summary>Reads a body.</summary>
    /// <returns>The request, or why it is refused: 400, 413 or 422.</returns>
    public static Result<InferRequest> Parse(ReadOnlyMemory<byte> body) => JsonBody.Parse(body, Parse);

    private static InferRequest Parse(JsonElement root)
    {
        Check(root.ValueKind is JsonValueKind.Object, "The body is not an object.");
        if (Find(root, "parameters") is { } parameters)
            Check(parameters.ValueKind is JsonValueKind.Object, "\"parameters\" is not an object.");
        return new(ReadId(root), ReadTexts(root), ReadOutputs(root));
    }

    private static string? ReadId(JsonElement root)
    {
        if (Find(root, "id") is not { } id) return null;
        Check(id.ValueKind is JsonValueKind.String, "\"id\" is not a string.");
        return id.GetString();
    }

    private static List<string> ReadOutputs(JsonElement root)
    {
        var names = new List<string>();
        if (Find(root, "outputs") is { } outputs)
        {
            Check(outputs.ValueKind is JsonValueKind.Array, "\"outputs\" is not an array.");
            foreach (var output in outputs.EnumerateArray())
            {
                var name = Name(output);
                Check(name is Probabilities or Label, $"There is no output \"{name}\"; there are \"{Probabilities}\" and \"{Label}\".");
                if (!names.Contains(name)) names.Add(name);
            }
        }

        return names.Count > 0 ? names : [Probabilities, Label];
    }

    private static List<string> ReadTexts(JsonElement root)
    {
        Check(Find(root, "inputs") is { ValueKind: JsonValueKind.Array }, "\"inputs\" is not an array.");
        var inputs = root.GetProperty("inputs");
        if (inputs.GetArrayLength() == 0) throw new RefusedException(Refusal.EmptyBatch($"\"inputs\" is empty; send the input \"{Input}\"."));
        foreach (var other in inputs.EnumerateArray())
            Check(Name(other) == Input, $"There is no input \"{Name(other)}\"; there is \"{Input}\".");
        Check(inputs.GetArrayLength() == 1, $"The input \"{Input}\" is there twice.");

        var input = inputs[0];
        Check(Find(input, "datatype") is { ValueKind: JsonValueKind.String } datatype && datatype.ValueEquals(TextDatatype), $"The datatype of \"{Input}\" is {TextDatatype}.");
        var (count, isColumn) = Shape(input);
        Check(Find(input, "data") is { ValueKind: JsonValueKind.Array }, "\"data\" is not an array.");
        var texts = new List<string>(count);
        foreach (var element in input.GetProperty("data").EnumerateArray())
        {
            // A column may be sent flat or row by row.
            var isRow = isColumn && element.ValueKind is JsonValueKind.Array;
            if (isRow) Check(element.GetArrayLength() == 1, "A row of \"data\" has not one element.");
            texts.Add(Text(isRow ? element[0] : element));
            if (texts.Count > count) break;
        }

        Check(texts.Count == count, $"The shape says {count} elements, and \"data\" has {(texts.Count > count ? "more" : $"{texts.Count}")}.");
        return texts;
    }

    private static (int Count, bool IsColumn) Shape(JsonElement input)
    {
        const string Expected = "The shape is neither [n] nor [n, 1].";
        Check(Find(input, "shape") is { ValueKind: JsonValueKind.Array }, Expected);
        var shape = input.GetProperty("shape");
        var dimensions = shape.GetArrayLength();
        Check(dimensions is 1 or 2, Expected);
        var count = Dimension(shape[0]);
        Check(dimensions == 1 || Dimension(shape[1]) == 1, Expected);
        if (count == 0) throw new RefusedException(Refusal.EmptyBatch($"The input \"{Input}\" has no elements."));
        if (count > TextInput.MaxInputs) throw new RefusedException(Refusal.TooManyInputs((long)Math.Min(count, long.MaxValue)));
        return ((int)count, dimensions == 2);

        static ulong Dimension(JsonElement value)
        {
            ulong dimension = 0;
            Check(value.ValueKind is JsonValueKind.Number && value.TryGetUInt64(out dimension), Expected);
            return dimension;
        }
    }

    private static string Text(JsonElement element)
    {
        Check(element.ValueKind is JsonValueKind.String, "An element of \"data\" is not a string.");
        var text = element.GetString()!;
        return string.IsNullOrWhiteSpace(text) ? throw new RefusedException(Refusal.EmptyText("A text is empty.")) : text;
    }

    private static string Name(JsonElement tensor)
    {
        Check(Find(tensor, "name") is { ValueKind: JsonValueKind.String }, "A tensor has no \"name\".");
        return tensor.GetProperty("name").GetString()!;
    }

    // Writers of other languages send what is not there as null.
    private static JsonElement? Find(JsonElement parent, string name)
    {
        Check(parent.ValueKind is JsonValueKind.Object, "A tensor is not an object.");
        return parent.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;
    }

    private static void Check(bool holds, string otherwise)
    {
        if (!holds) throw new RefusedException(Refusal.Impossible(otherwise));
    }
}

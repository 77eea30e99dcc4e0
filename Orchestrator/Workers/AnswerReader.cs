using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Workers;

/// <summary>
/// Reads a worker's answer to a single text, member by member: with the serializer there are 6 to 8 % fewer requests/s,
/// and each takes 8 to 12 % more processor (<c>bench dispatch --ablations</c>).
/// </summary>
internal static class AnswerReader
{
    private const int UsualLabels = 2;

    // Each character escaped at worst sixfold, and a name may not be longer.
    private const int MaxLabelBytes = 6 * WireName.MaxLength;

    // Few labels, many answers: the one that the thread has read last is mostly the next one too.
    [ThreadStatic]
    private static string? _lastLabel;

    /// <summary>Reads <c>{"input_text","label","probabilities","inference_ms","truncated",…}</c>; what else there is is passed over.</summary>
    /// <param name="json">The answer.</param>
    /// <param name="text">The text that was asked about, in UTF-8, which the answer repeats: another one is another question's answer.</param>
    /// <param name="model">What the answers of the worker's model are made of.</param>
    /// <param name="fault">What is wrong with it, where the result is <c>null</c>.</param>
    /// <returns>The answer, without the text, or <c>null</c> if it cannot be one to this question by this model.</returns>
    /// <exception cref="JsonException">It is not such an object.</exception>
    public static ModelAnswer? Read(ReadOnlySpan<byte> json, ReadOnlySpan<byte> text, ModelOutput model, out string? fault)
    {
        try
        {
            return ReadObject(json, text, model, out fault);
        }
        catch (InvalidOperationException e)
        {
            // The reader's word for an escaped surrogate without its other half.
            throw new JsonException("it is not Unicode", e);
        }
    }

    private static ModelAnswer? ReadObject(ReadOnlySpan<byte> json, ReadOnlySpan<byte> text, ModelOutput model, out string? fault)
    {
        var reader = new Utf8JsonReader(json);
        Expect(ref reader, JsonTokenType.StartObject);
        string? label = null;
        float[]? probabilities = null;
        List<string>? several = null;
        var milliseconds = 0.0;
        var truncated = false;
        var isOfThisText = false;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("label"u8)) label = ReadLabel(ref reader);
            else if (reader.ValueTextEquals("probabilities"u8)) probabilities = ReadProbabilities(ref reader);
            else if (reader.ValueTextEquals("inference_ms"u8)) milliseconds = ReadNumber(ref reader);
            else if (reader.ValueTextEquals("truncated"u8)) truncated = ReadTruth(ref reader);
            else if (reader.ValueTextEquals("input_text"u8)) isOfThisText = reader.Read() && reader.TokenType is JsonTokenType.String && reader.ValueTextEquals(text);
            else if (model.Problem is ProblemType.MultiLabel && reader.ValueTextEquals("labels"u8)) several = ReadLabels(ref reader, model.Labels.Count);
            else reader.Skip();
        }

        // Anything behind the object is an error too.
        reader.Read();
        fault = !isOfThisText ? "its answer is not to the text that was asked about"
            : !AnswerCheck.IsTime(milliseconds) ? "its answer has a time that is none"
            : AnswerCheck.Fault(label, probabilities, several, logits: null, model);
        return fault is null ? new("", label!, probabilities!, milliseconds, truncated, several) : null;
    }

    private static string? ReadLabel(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType is JsonTokenType.Null ? null : LabelAt(ref reader);
    }

    private static string LabelAt(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not JsonTokenType.String) throw new JsonException("the label is not a string");
        if (reader.ValueSpan.Length > MaxLabelBytes) throw new JsonException("the label is too long");
        if (_lastLabel is { } last && reader.ValueTextEquals(last)) return last;
        return _lastLabel = reader.GetString()!;
    }

    private static List<string>? ReadLabels(ref Utf8JsonReader reader, int most)
    {
        reader.Read();
        if (reader.TokenType is JsonTokenType.Null) return null;
        if (reader.TokenType is not JsonTokenType.StartArray) throw new JsonException("the labels are not a list");
        var labels = new List<string>();
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            if (labels.Count == most) throw new JsonException("there are more labels than the model has");
            labels.Add(LabelAt(ref reader));
        }

        return labels;
    }

    private static float[]? ReadProbabilities(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType is JsonTokenType.Null) return null;
        if (reader.TokenType is not JsonTokenType.StartArray) throw new JsonException("the probabilities are not a list");
        var probabilities = new float[UsualLabels];
        var count = 0;
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            if (reader.TokenType is not JsonTokenType.Number || !reader.TryGetSingle(out var probability)) throw new JsonException("a probability is not a number");
            if (count == ModelCheck.MaxLabels) throw new JsonException("there are more probabilities than a model may have labels");
            if (count == probabilities.Length) Array.Resize(ref probabilities, 2 * count);
            probabilities[count++] = probability;
        }

        if (count < probabilities.Length) Array.Resize(ref probabilities, count);
        return probabilities;
    }

    private static double ReadNumber(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType is JsonTokenType.Number && reader.TryGetDouble(out var number) ? number : throw new JsonException("the time is not a number");
    }

    private static bool ReadTruth(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType is JsonTokenType.True || (reader.TokenType is JsonTokenType.False ? false : throw new JsonException("truncated is neither true nor false"));
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type) throw new JsonException("the answer is not an object");
    }
}

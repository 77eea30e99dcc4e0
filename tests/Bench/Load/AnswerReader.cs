using System.Globalization;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Bench.Load;

/// <summary>
/// Reads an answer of <c>POST /new_request</c> and checks its shape: each of its ten members (of a multi-label model eleven),
/// of the right kind and in its range, about the text that was sent.
/// </summary>
internal static class AnswerReader
{
    private const double SumTolerance = 1e-3;

    [Flags]
    private enum Members
    {
        None = 0,
        RequestId = 1,
        Worker = 1 << 1,
        Attempts = 1 << 2,
        BatchSize = 1 << 3,
        QueueMs = 1 << 4,
        InferenceMs = 1 << 5,
        InputText = 1 << 6,
        Truncated = 1 << 7,
        Label = 1 << 8,
        Probabilities = 1 << 9,
        All = (1 << 10) - 1,
        Labels = 1 << 10,
    }

    /// <summary>Reads an answer.</summary>
    /// <param name="utf8">The whole body.</param>
    /// <param name="text">What was sent.</param>
    /// <param name="tolerance">By how much a probability may differ from the known one.</param>
    /// <param name="problem">How the model makes scores.</param>
    /// <returns>The answer, and what is wrong with it; <c>null</c> instead of the answer where it is not even one.</returns>
    public static (Answer? Answer, string? Fault) Read(ReadOnlySpan<byte> utf8, Text text, double tolerance, ProblemType problem = ProblemType.SingleLabel)
    {
        try
        {
            var answer = Parse(utf8, text, problem, out var fault);
            return (answer, fault ?? Compare(answer!, text.Known, tolerance));
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return (null, $"the answer cannot be read: {e.Message}");
        }
    }

    private static Answer? Parse(ReadOnlySpan<byte> utf8, Text text, ProblemType problem, out string? fault)
    {
        var reader = new Utf8JsonReader(utf8);
        var seen = Members.None;
        Guid id = default;
        string worker = "", label = "";
        int attempts = 0, batch = 0;
        double queue = 0, inference = 0;
        var sameText = true;
        var probabilities = new List<float>(2);
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject) throw new JsonException("it is no object");
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var member = Name(ref reader);
            reader.Read();
            seen |= member;
            switch (member)
            {
                case Members.RequestId: id = reader.GetGuid(); break;
                case Members.Worker: worker = reader.GetString() ?? ""; break;
                case Members.Attempts: attempts = reader.GetInt32(); break;
                case Members.BatchSize: batch = reader.GetInt32(); break;
                case Members.QueueMs: queue = reader.GetDouble(); break;
                case Members.InferenceMs: inference = reader.GetDouble(); break;
                case Members.InputText: sameText = reader.ValueTextEquals(text.Utf8); break;
                case Members.Truncated: _ = reader.GetBoolean(); break;
                case Members.Label: label = reader.GetString() ?? ""; break;
                case Members.Probabilities:
                    if (reader.TokenType is not JsonTokenType.StartArray) throw new JsonException("probabilities are no list");
                    while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray) probabilities.Add(reader.GetSingle());
                    break;
                default: reader.Skip(); break;
            }
        }

        fault = Fault();
        return (seen & Members.All) == Members.All ? new(id, worker, attempts, batch, queue, inference, label, probabilities) : null;

        string? Fault()
        {
            var expected = problem is ProblemType.MultiLabel ? Members.All | Members.Labels : Members.All;
            if ((seen & expected) != expected) return $"the answer lacks {expected & ~seen}";
            if (!sameText) return "the answer is about another text";
            if (worker.Length == 0 || label.Length == 0) return "worker or label is empty";
            if (attempts < 1 || batch < 1) return string.Create(CultureInfo.InvariantCulture, $"attempts {attempts} and batch_size {batch} are not both at least 1");
            if (!(queue >= 0 && inference >= 0)) return "a time is negative";
            var sum = 0.0;
            foreach (var probability in probabilities)
            {
                if (problem is ProblemType.Regression ? !float.IsFinite(probability) : probability is not (>= 0 and <= 1)) return string.Create(CultureInfo.InvariantCulture, $"{probability} is no probability");
                sum += probability;
            }

            // Only of several labels that exclude each other.
            if (problem is not ProblemType.SingleLabel || probabilities.Count == 1) return null;
            return Math.Abs(sum - 1) <= SumTolerance ? null : string.Create(CultureInfo.InvariantCulture, $"the probabilities add up to {sum:0.####}");
        }
    }

    private static Members Name(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("request_id"u8) ? Members.RequestId
        : reader.ValueTextEquals("worker"u8) ? Members.Worker
        : reader.ValueTextEquals("attempts"u8) ? Members.Attempts
        : reader.ValueTextEquals("batch_size"u8) ? Members.BatchSize
        : reader.ValueTextEquals("queue_ms"u8) ? Members.QueueMs
        : reader.ValueTextEquals("inference_ms"u8) ? Members.InferenceMs
        : reader.ValueTextEquals("input_text"u8) ? Members.InputText
        : reader.ValueTextEquals("truncated"u8) ? Members.Truncated
        : reader.ValueTextEquals("label"u8) ? Members.Label
        : reader.ValueTextEquals("probabilities"u8) ? Members.Probabilities
        : reader.ValueTextEquals("labels"u8) ? Members.Labels
        : Members.None;

    private static string? Compare(Answer answer, KnownAnswer? known, double tolerance)
    {
        if (known is null) return null;
        if (answer.Label != known.Label) return $"the label is {answer.Label}, known is {known.Label}";
        if (known.Probabilities is not { } probabilities) return null;
        if (probabilities.Count != answer.Probabilities.Count) return $"there are {answer.Probabilities.Count} probabilities, known are {probabilities.Count}";
        for (var i = 0; i < probabilities.Count; i++)
        {
            if (Math.Abs(probabilities[i] - answer.Probabilities[i]) > tolerance)
                return string.Create(CultureInfo.InvariantCulture, $"probability {i} is {answer.Probabilities[i]}, known is {probabilities[i]}");
        }

        return null;
    }
}

using System.Text.Json;

namespace Lab.Bench.Load;

/// <summary>What the model is known to say of a text.</summary>
/// <param name="Label">The label.</param>
/// <param name="Probabilities">The probabilities, or <c>null</c> where only the label is known.</param>
internal sealed record KnownAnswer(string Label, IReadOnlyList<float>? Probabilities)
{
    /// <summary>
    /// Reads a file of known answers, one a line: a text, a tab and its label; a pair of texts and its label, with tabs between
    /// them; or an answer in JSON as the orchestrator or a worker gives it, of which <c>input_text</c>, <c>label</c> and
    /// <c>probabilities</c> count, and <c>text_pair</c> where somebody has added it.
    /// </summary>
    /// <returns>The texts, each with its answer.</returns>
    /// <exception cref="BenchException">It cannot be read, is empty, or a line is neither.</exception>
    public static IReadOnlyList<Text> ReadFile(string path)
    {
        try
        {
            var texts = File.ReadLines(path).Index().Where(line => !string.IsNullOrWhiteSpace(line.Item)).Select(line => ReadLine(path, line.Index + 1, line.Item)).ToList();
            return texts.Count > 0 ? texts : throw new BenchException(ExitCode.Usage, $"There is no known answer in {path}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BenchException(ExitCode.Usage, $"The known answers cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads an answer as the orchestrator gives it.</summary>
    /// <exception cref="JsonException">It is none; so do other exceptions of JSON's reader say.</exception>
    public static KnownAnswer Parse(string json) => ParseWithText(json).Known;

    private static (Text Text, KnownAnswer Known) ParseWithText(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var probabilities = root.TryGetProperty("probabilities", out var list) ? list.EnumerateArray().Select(value => value.GetSingle()).ToList() : null;
        var pair = root.TryGetProperty("text_pair", out var second) ? second.GetString() : null;
        return (new(root.GetProperty("input_text").GetString()!, pair), new(root.GetProperty("label").GetString()!, probabilities));
    }

    private static Text ReadLine(string path, int number, string line)
    {
        if (!line.StartsWith('{'))
        {
            var parts = line.Split('\t');
            return parts.Length is 2 or 3 && !parts.Any(string.IsNullOrWhiteSpace)
                ? new Text(parts[0], parts.Length is 3 ? parts[1] : null) { Known = new(parts[^1].Trim(), null) }
                : throw Bad("is neither a text, a tab and a label, nor a pair of texts and a label with tabs between them, nor an answer in JSON");
        }

        try
        {
            var (text, known) = ParseWithText(line);
            return new Text(text.Value, text.Pair) { Known = known };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw Bad("is no answer with input_text and label");
        }

        BenchException Bad(string what) => new(ExitCode.Usage, $"Line {number} of {path} {what}.");
    }
}

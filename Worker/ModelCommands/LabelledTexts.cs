using System.Globalization;
using System.Text.Unicode;
using Lab.Worker.Checkpoints;
using Lab.Worker.Tokenization;

namespace Lab.Worker.ModelCommands;

/// <summary>A text, the second of a pair or null, and the id of its label; null where the file has none.</summary>
internal sealed record LabelledText(string Text, string? Pair, int? Label)
{
    /// <summary>Its tokens.</summary>
    public TokenizedText Encode(ITokenizer tokenizer) => Pair is null ? tokenizer.Encode(Text) : tokenizer.EncodePair(Text, Pair);
}

/// <summary>Files of texts, one a line, in columns parted by tabs, such as GLUE's.</summary>
internal static class LabelledTexts
{
    private const int MaxFileBytes = 256 << 20;
    private const int MaxShownChars = 200;

    private static readonly string[] TextColumns = ["sentence", "sentence1", "text"];
    private static readonly string[] PairColumns = ["sentence2", "text_pair"];

    /// <summary>
    /// Reads a file. The first line names the columns: <c>sentence</c>, <c>sentence1</c> or <c>text</c>, of pairs of texts
    /// <c>sentence2</c> or <c>text_pair</c> too, and <c>label</c>, in any order; others are ignored. A label is a name of the model's, or its id.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="labels">The model's labels in the order of their ids; null where labels are of no concern.</param>
    /// <exception cref="ModelDirectoryException">The file is missing, unreadable, too large, or no file.</exception>
    /// <exception cref="FormatException">The file is no such file; the message names the line.</exception>
    public static IReadOnlyList<LabelledText> Read(string path, IReadOnlyList<string>? labels)
    {
        var bytes = RegularFile.Read(path, MaxFileBytes);
        if (!Utf8.IsValid(bytes)) throw new FormatException($"{path}: is not valid UTF-8");
        using var reader = new StreamReader(new MemoryStream(bytes));
        var columns = (reader.ReadLine() ?? "").Split('\t');
        var textColumn = Array.FindIndex(columns, column => TextColumns.Contains(column, StringComparer.OrdinalIgnoreCase));
        var pairColumn = Array.FindIndex(columns, column => PairColumns.Contains(column, StringComparer.OrdinalIgnoreCase));
        var labelColumn = labels is null ? -1 : Array.FindIndex(columns, column => column.Equals("label", StringComparison.OrdinalIgnoreCase));
        if (textColumn < 0) throw new FormatException($"{path}: the first line names no column \"sentence\" or \"text\", parted by tabs");
        // One of the two alone would be read as if it were the text.
        if (pairColumn < 0 && columns[textColumn].Equals("sentence1", StringComparison.OrdinalIgnoreCase))
            throw new FormatException($"{path}: the first line names a column \"sentence1\" and none \"sentence2\"");
        var texts = new List<LabelledText>();
        for (var number = 2; reader.ReadLine() is { } line; number++)
        {
            if (line.Length == 0) continue;
            var cells = line.Split('\t');
            // A tab within a text would cut it off.
            if (cells.Length != columns.Length) throw new FormatException($"{path}: line {number} has {cells.Length} columns, and the first has {columns.Length}");
            if (cells[textColumn].Length == 0) throw new FormatException($"{path}: line {number} has no text");
            if (pairColumn >= 0 && cells[pairColumn].Length == 0) throw new FormatException($"{path}: line {number} has no second text");
            texts.Add(new(cells[textColumn], pairColumn < 0 ? null : cells[pairColumn], labelColumn < 0 ? null : Label(cells[labelColumn], number)));
        }

        return texts.Count > 0 ? texts : throw new FormatException($"{path}: there are no texts in it");

        int Label(string cell, int number)
        {
            // Names may differ in their case alone.
            foreach (var comparison in (StringComparison[])[StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase])
                for (var id = 0; id < labels!.Count; id++)
                    if (labels[id].Equals(cell, comparison)) return id;
            return int.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given < labels!.Count
                ? given
                : throw new FormatException($"{path}: line {number} has the label \"{Shown(cell)}\"; the model's are {Shown(string.Join(", ", labels!))}");
        }
    }

    private static string Shown(string text) => text.Length <= MaxShownChars ? text : $"{text.AsSpan(0, MaxShownChars)}…";
}

using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>Pairs of tokens that are merged, of a <c>merges.txt</c> or of <c>tokenizer.json</c>.</summary>
internal sealed class MergeList
{
    /// <summary>The file's name within a model directory.</summary>
    public const string FileName = "merges.txt";

    private const int MaxFileBytes = 32 << 20;
    private const string Version = "#version";

    private readonly string _path;
    private readonly Func<int, string> _place;

    private MergeList(string path, Func<int, string> place)
    {
        _path = path;
        _place = place;
    }

    /// <summary>The pairs in their order.</summary>
    public List<(string Left, string Right)> Pairs { get; } = [];

    /// <summary>Reads <c>merges.txt</c>: two tokens in a line, with a space between them.</summary>
    /// <exception cref="ModelDirectoryException">The file is missing or unreadable, or a line is none of two tokens.</exception>
    public static MergeList ReadText(string path)
    {
        // The line that tells the version may stand anywhere, and the first merge in the first line.
        var lines = new List<int>();
        var merges = new MergeList(path, index => string.Create(CultureInfo.InvariantCulture, $"line {lines[index]}: the merge"));
        try
        {
            using var reader = new StreamReader(new MemoryStream(RegularFile.Read(path, MaxFileBytes)), new UTF8Encoding(false, throwOnInvalidBytes: true));
            for (var line = 1; reader.ReadLine() is { } text; line++)
            {
                if (text.StartsWith(Version, StringComparison.Ordinal)) continue;
                // An empty line at the end is none.
                if (text.Length == 0 && reader.Peek() < 0) break;
                merges.Add(text, () => string.Create(CultureInfo.InvariantCulture, $"line {line}"));
                lines.Add(line);
            }
        }
        catch (DecoderFallbackException)
        {
            throw new ModelDirectoryException(path, "is not valid UTF-8");
        }

        return merges;
    }

    /// <summary>Reads <c>model.merges</c>: texts as in a line of <c>merges.txt</c>, or arrays of two tokens.</summary>
    /// <exception cref="ModelDirectoryException">An element is neither.</exception>
    public static MergeList ReadJson(string path, string name, IEnumerable<JsonElement> elements)
    {
        var merges = new MergeList(path, index => string.Create(CultureInfo.InvariantCulture, $"{name}[{index}]: the merge"));
        foreach (var element in elements)
        {
            switch (element)
            {
                case { ValueKind: JsonValueKind.String }:
                    merges.Add(element.GetString()!, Place);
                    break;
                case { ValueKind: JsonValueKind.Array } when element.GetArrayLength() == 2 && element.EnumerateArray().All(token => token.ValueKind is JsonValueKind.String):
                    merges.Add($"{element[0].GetString()} {element[1].GetString()}", Place);
                    break;
                default:
                    throw new ModelDirectoryException(path, $"{Place()} is {JsonMembers.Shown(element)}; it must be two tokens");
            }
        }

        return merges;

        string Place() => string.Create(CultureInfo.InvariantCulture, $"{name}[{merges.Pairs.Count}]");
    }

    /// <summary>An error that names the file and a merge.</summary>
    /// <param name="index">The merge's place.</param>
    /// <param name="problem">What is wrong, in words that follow "the merge".</param>
    public ModelDirectoryException Wrong(int index, string problem) => new(_path, $"{_place(index)} {problem}");

    /// <summary>Refuses another file's merges where they differ from these.</summary>
    /// <exception cref="ModelDirectoryException">They do.</exception>
    public void CheckSame(MergeList other)
    {
        var same = Pairs.Zip(other.Pairs).TakeWhile(pair => pair.First == pair.Second).Count();
        if (same == Pairs.Count && same == other.Pairs.Count) return;
        if (same == Pairs.Count || same == other.Pairs.Count)
            throw new ModelDirectoryException(_path, $"has {Pairs.Count} merges, but {Path.GetFileName(other._path)} has {other.Pairs.Count}");
        throw Wrong(same, $"of \"{Pairs[same].Left}\" and \"{Pairs[same].Right}\" is of \"{other.Pairs[same].Left}\" and \"{other.Pairs[same].Right}\" in {Path.GetFileName(other._path)}");
    }

    private void Add(string text, Func<string> place)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space <= 0 || space == text.Length - 1 || text.IndexOf(' ', space + 1) >= 0)
            throw new ModelDirectoryException(_path, $"{place()} is \"{text}\"; it must be two tokens with a space between them");
        Pairs.Add((text[..space], text[(space + 1)..]));
    }
}

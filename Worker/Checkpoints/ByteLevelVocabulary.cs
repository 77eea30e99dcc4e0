using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// Byte-level tokens and the pairs that are merged into them (Sennrich et al., arXiv:1508.07909, on bytes as in GPT-2): each
/// byte is a token, written as one character by <see cref="ByteCharacters"/>.
/// </summary>
internal sealed class ByteLevelVocabulary
{
    /// <summary>The file's name within a model directory.</summary>
    public const string FileName = "vocab.json";

    private const int MaxFileBytes = 32 << 20;

    /// <summary>Tokens and merges.</summary>
    /// <param name="path">The file of the tokens, to name in messages.</param>
    /// <param name="tokens">The tokens by id, each once.</param>
    /// <param name="merges">The pairs that are merged, the first of them before all others.</param>
    /// <exception cref="ModelDirectoryException">A byte has no token, or a merge is of no tokens, makes none, or is there twice.</exception>
    public ByteLevelVocabulary(string path, string[] tokens, MergeList merges)
    {
        Tokens = tokens;
        Merges = merges.Pairs;
        Ids = tokens.Index().ToDictionary(token => token.Item, token => token.Index, StringComparer.Ordinal);
        for (var value = 0; value < ByteCharacters.Count; value++)
        {
            if (!Ids.TryGetValue($"{ByteCharacters.Of((byte)value)}", out ByteIds[value]))
                throw new ModelDirectoryException(path, $"has no token for the byte 0x{value:X2}, \"{ByteCharacters.Of((byte)value)}\": text that has it would lose it");
        }

        LongestToken = 1;
        var seen = new HashSet<(string, string)>();
        foreach (var (index, (left, right)) in merges.Pairs.Index())
        {
            foreach (var token in (string[])[left, right, left + right])
                if (!Ids.ContainsKey(token)) throw merges.Wrong(index, $"of \"{left}\" and \"{right}\" needs the token \"{token}\", which {Path.GetFileName(path)} has not");
            if (!seen.Add((left, right))) throw merges.Wrong(index, $"of \"{left}\" and \"{right}\" is there twice");
            LongestToken = Math.Max(LongestToken, left.Length + right.Length);
        }
    }

    /// <summary>The tokens by id.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The ids of the tokens.</summary>
    public IReadOnlyDictionary<string, int> Ids { get; }

    /// <summary>The pairs that are merged, the first of them before all others.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>The token of each byte.</summary>
    public int[] ByteIds { get; } = new int[ByteCharacters.Count];

    /// <summary>Bytes in the longest token that merges make.</summary>
    public int LongestToken { get; }

    /// <summary>Reads <c>vocab.json</c>.</summary>
    /// <returns>The tokens by id.</returns>
    /// <exception cref="ModelDirectoryException">The file is missing or unreadable, or its ids are not 0 to n − 1.</exception>
    public static string[] ReadTokens(string path, int rows) => JsonMembers.ReadFile(path, MaxFileBytes, members =>
    {
        var tokens = TokensById(members, members, "", rows);
        members.PassOver(tokens);
        return tokens;
    });

    /// <summary>Tokens of an object that has their ids.</summary>
    /// <param name="vocabulary">The object.</param>
    /// <param name="file">Gives errors that name the file.</param>
    /// <param name="name">How the object is called in messages, with a space behind it, or nothing where it is the whole file.</param>
    /// <param name="rows">As many tokens there may be at most.</param>
    /// <exception cref="ModelDirectoryException">There are more, or ids are not 0 to n − 1, each once.</exception>
    public static string[] TokensById(JsonMembers vocabulary, JsonMembers file, string name, int rows)
    {
        var count = vocabulary.All.Count();
        if (count > rows) throw file.Wrong($"{name}has {count} tokens, but vocab_size in {EncoderConfig.FileName} is {rows}");
        var tokens = new string?[count];
        foreach (var member in vocabulary.All)
        {
            if (member.Value.ValueKind is not JsonValueKind.Number || !member.Value.TryGetInt32(out var id) || id < 0 || id >= count || tokens[id] is not null)
                throw file.Wrong($"{name}gives \"{member.Name}\" the id {JsonMembers.Shown(member.Value)}; ids must be 0 to {count - 1}, each once");
            tokens[id] = member.Name.Length > 0 ? member.Name : throw file.Wrong($"{name}has an empty token with the id {id}");
        }

        return tokens!;
    }
}

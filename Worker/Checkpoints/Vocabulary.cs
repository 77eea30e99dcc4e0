using System.Text;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// The word pieces of a model: line <em>n</em> of <c>vocab.txt</c>, counted from 0, has the token id <em>n</em>; or what
/// <c>tokenizer.json</c> has in its place.
/// </summary>
internal sealed class Vocabulary
{
    /// <summary>The file's name within a model directory.</summary>
    public const string FileName = "vocab.txt";

    /// <summary>Stands for a word that no pieces make up.</summary>
    public const string UnknownToken = "[UNK]";

    private const int MaxFileBytes = 64 << 20;

    // Embeddings are padded to one of these for the sake of graphics processors.
    private static readonly int[] PaddedTo = [8, 16, 32, 64, 128, 256, 512];

    /// <summary>Word pieces by id.</summary>
    /// <param name="path">The file to name in messages.</param>
    /// <param name="tokens">The tokens.</param>
    /// <exception cref="ModelDirectoryException">They are no vocabulary.</exception>
    public Vocabulary(string path, string[] tokens)
    {
        Tokens = tokens;
        var ids = new Dictionary<string, int>(tokens.Length, StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
        {
            if (tokens[id].Length == 0) throw new ModelDirectoryException(path, $"line {id + 1} is empty");
            if (tokens[id].AsSpan().ContainsAny('\r', '\n')) throw new ModelDirectoryException(path, $"the token with the id {id} has a line break in it");
            // It is in no text, and stands for words that are too long to be known.
            if (tokens[id].Contains('\uFFFF')) throw new ModelDirectoryException(path, $"the token with the id {id} has U+FFFF in it, which is no character");
            if (!ids.TryAdd(tokens[id], id))
                throw new ModelDirectoryException(path, $"\"{tokens[id]}\" stands in line {ids[tokens[id]] + 1} and again in line {id + 1}");
        }

        ClsId = Special(SpecialTokens.Cls);
        SepId = Special(SpecialTokens.Sep);
        UnknownId = Special(UnknownToken);
        PadId = Special(SpecialTokens.Pad);

        int Special(string token) =>
            ids.TryGetValue(token, out var id) ? id : throw new ModelDirectoryException(path, $"the token {token} is missing");
    }

    /// <summary>The word pieces by id.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The id of [CLS], which begins every text.</summary>
    public int ClsId { get; }

    /// <summary>The id of [SEP], which ends every text.</summary>
    public int SepId { get; }

    /// <summary>The id of [UNK].</summary>
    public int UnknownId { get; }

    /// <summary>The id of [PAD].</summary>
    public int PadId { get; }

    /// <summary>Reads <c>vocab.txt</c>.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="rows">Rows of the word embeddings.</param>
    /// <exception cref="ModelDirectoryException">The file is missing, unreadable, or not a vocabulary of that size.</exception>
    public static Vocabulary Read(string directory, int rows)
    {
        var vocabulary = ReadWithin(directory, rows);
        CheckRows(Path.Combine(directory, FileName), vocabulary.Tokens.Count, rows);
        return vocabulary;
    }

    /// <summary>Compares a number of tokens with the word embeddings'.</summary>
    /// <exception cref="ModelDirectoryException">There are more tokens than rows, or fewer than padding explains.</exception>
    public static void CheckRows(string path, int tokens, int rows)
    {
        if (tokens == rows || (tokens < rows && PaddedTo.Any(multiple => (tokens + multiple - 1) / multiple * multiple == rows))) return;
        throw new ModelDirectoryException(path,
            $"has {tokens} tokens, but vocab_size in {EncoderConfig.FileName} is {rows}{(tokens < rows ? ", which is more than padding to a multiple of 8 to 512 explains" : "")}");
    }

    /// <summary>Reads <c>vocab.txt</c>, which may have fewer lines than there are rows.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="rows">Rows of the word embeddings.</param>
    /// <exception cref="ModelDirectoryException">The file is missing, unreadable, too long, or not a vocabulary.</exception>
    public static Vocabulary ReadWithin(string directory, int rows)
    {
        var path = Path.Combine(directory, FileName);
        var tokens = new List<string>();
        try
        {
            using var reader = new StreamReader(new MemoryStream(RegularFile.Read(path, MaxFileBytes)), new UTF8Encoding(false, throwOnInvalidBytes: true));
            while (reader.ReadLine() is { } line)
            {
                // Lines of a few bytes take twenty times as much in memory.
                if (tokens.Count == rows) throw new ModelDirectoryException(path, $"has more than {rows} tokens, but vocab_size in {EncoderConfig.FileName} is {rows}");
                tokens.Add(line);
            }
        }
        catch (DecoderFallbackException)
        {
            throw new ModelDirectoryException(path, "is not valid UTF-8");
        }

        return tokens.Count > 0 ? new(path, [.. tokens]) : throw new ModelDirectoryException(path, "has 0 tokens");
    }
}

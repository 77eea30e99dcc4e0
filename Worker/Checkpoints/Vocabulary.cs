using System.Text;

namespace Lab.Worker.Checkpoints;

/// <summary>The word pieces of a model: line <em>n</em> of <c>vocab.txt</c>, counted from 0, has the token id <em>n</em>.</summary>
internal sealed class Vocabulary
{
    /// <summary>The file's name within a model directory.</summary>
    public const string FileName = "vocab.txt";

    /// <summary>Stands for a word that no pieces make up.</summary>
    public const string UnknownToken = "[UNK]";

    private const int MaxFileBytes = 64 << 20;

    private Vocabulary(string path, string[] tokens)
    {
        Tokens = tokens;
        var ids = new Dictionary<string, int>(tokens.Length, StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
        {
            if (tokens[id].Length == 0) throw new ModelDirectoryException(path, $"line {id + 1} is empty");
            if (!ids.TryAdd(tokens[id], id))
                throw new ModelDirectoryException(path, $"\"{tokens[id]}\" stands in line {ids[tokens[id]] + 1} and again in line {id + 1}");
        }

        ClsId = Special("[CLS]");
        SepId = Special("[SEP]");
        UnknownId = Special(UnknownToken);
        PadId = Special("[PAD]");

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
    /// <param name="size">The number of lines it must have.</param>
    /// <exception cref="ModelDirectoryException">The file is missing, unreadable, or not a vocabulary of that size.</exception>
    public static Vocabulary Read(string directory, int size)
    {
        var path = Path.Combine(directory, FileName);
        var tokens = new List<string>(size);
        try
        {
            using var reader = new StreamReader(new MemoryStream(RegularFile.Read(path, MaxFileBytes)), new UTF8Encoding(false, throwOnInvalidBytes: true));
            while (reader.ReadLine() is { } line) tokens.Add(line);
        }
        catch (DecoderFallbackException)
        {
            throw new ModelDirectoryException(path, "is not valid UTF-8");
        }

        if (tokens.Count != size)
            throw new ModelDirectoryException(path, $"has {tokens.Count} tokens, but vocab_size in {DistilBertConfig.FileName} is {size}");
        return new(path, [.. tokens]);
    }
}

using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>Vocabularies of any size, made up for model directories with random weights.</summary>
internal static class RandomVocabulary
{
    /// <summary>The name of the file with tokens and their ids.</summary>
    public const string TokensFileName = "vocab.json";

    /// <summary>The name of the file with the pairs that are merged.</summary>
    public const string MergesFileName = "merges.txt";

    // Those of RoBERTa's, without its mask, which stands at the end.
    private static readonly string[] ByteLevelSpecial = ["<s>", "<pad>", "</s>", "<unk>"];

    /// <summary>The smallest vocabulary of pairs of bytes: each byte, and RoBERTa's special tokens.</summary>
    public static int MinByteLevel => ByteLevelSpecial.Length + 256 + 1;

    /// <summary>Word pieces: characters first, so that any English text has tokens other than [UNK].</summary>
    public static IEnumerable<string> WordPieces(int size)
    {
        var characters = Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => !char.IsAsciiLetterUpper(c)).ToList();
        string[] special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        return special
            .Concat(characters.Select(c => $"{c}"))
            .Concat(characters.Where(char.IsAsciiLetterOrDigit).Select(c => $"##{c}"))
            .Concat(Enumerable.Range(0, size).Select(n => $"word{n}"))
            .Take(size);
    }

    /// <summary>Writes <c>vocab.json</c> and <c>merges.txt</c>: all bytes, and merges of letters to longer and longer tokens.</summary>
    /// <param name="directory">Where to.</param>
    /// <param name="size">Tokens, at least <see cref="MinByteLevel"/>.</param>
    public static void WriteByteLevel(string directory, int size)
    {
        var merges = Merges().Take(size - MinByteLevel).ToList();
        string[] tokens = [.. ByteLevelSpecial, .. Enumerable.Range(0, 256).Select(value => $"{Character(value)}"), .. merges.Select(merge => merge.First + merge.Second), "<mask>"];
        File.WriteAllBytes(Path.Combine(directory, TokensFileName), JsonSerializer.SerializeToUtf8Bytes(tokens.Index().ToDictionary(pair => pair.Item, pair => pair.Index)));
        File.WriteAllLines(Path.Combine(directory, MergesFileName), ["#version: 0.2", .. merges.Select(merge => $"{merge.First} {merge.Second}")]);
    }

    // Two letters, a space before them, and then whatever of those two can be merged: each token is made of two that come before it.
    private static IEnumerable<(string First, string Second)> Merges()
    {
        string[] letters = [.. Enumerable.Range('a', 26).Select(c => $"{(char)c}")];
        string[] pairs = [.. letters.SelectMany(first => letters.Select(second => first + second))];
        var space = $"{Character(' ')}";
        return pairs.Select(pair => (pair[..1], pair[1..]))
            .Concat(pairs.Select(pair => (space, pair)))
            .Concat(pairs.SelectMany(first => pairs.Select(second => (first, second))))
            .Concat(pairs.SelectMany(first => pairs.Select(second => (space + first, second))))
            .Concat(pairs.SelectMany(first => pairs.SelectMany(second => letters.Select(third => (first + second, third)))));
    }

    // Each byte as a character that can be seen (bytes_to_unicode of GPT-2's encoder.py).
    private static char Character(int value)
    {
        if (IsVisible(value)) return (char)value;
        return (char)(256 + Enumerable.Range(0, value).Count(other => !IsVisible(other)));
    }

    private static bool IsVisible(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
}

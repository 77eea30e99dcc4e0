using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Lab.Worker.Checkpoints;
using Lab.Worker.Tests.Inference;
using Lab.Worker.Tokenization;
using Tokenizers.DotNet;

namespace Lab.Worker.Tests.Tokenization;

/// <summary>
/// Token ids held against those of Hugging Face's tokenizers (Rust, 0.22.2) by the same files. <c>LAB_TOKENIZER_TEXTS</c>
/// is how many texts are tried, 2,000 by default.
/// </summary>
public sealed class HuggingFaceTests
{
    private const int Seed = 20_240;
    private const int AnyLength = 1 << 14;
    private const int FewTexts = 2000;

    // Beyond it there are no letters yet; private characters are tried with the many texts only.
    private const int LastLetter = 0x32000;

    private static int Count { get; } = int.Parse(Environment.GetEnvironmentVariable("LAB_TOKENIZER_TEXTS") ?? $"{FewTexts}", CultureInfo.InvariantCulture);

    private static int CodePoints => Count > FewTexts ? 0x110000 : LastLetter;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ByteLevel_ManyTexts_EqualHuggingFace(bool addPrefixSpace)
    {
        RequireLibrary();
        using var directory = new TemporaryDirectory();
        using var reference = new Tokenizer(Gpt2Tokens.WriteJson(directory.Path, json => json["pre_tokenizer"]!["add_prefix_space"] = addPrefixSpace));
        File.WriteAllText(directory.File("tokenizer_config.json"), $$"""{"add_prefix_space":{{(addPrefixSpace ? "true" : "false")}}}""");
        Compare(Read(directory.Path, Gpt2Tokens.Tokens.Length), reference);
    }

    [Theory]
    [InlineData("Right")]
    [InlineData("Left")]
    public void ByteLevel_TextsThatAreTooLong_AreCutAsHuggingFaceCutsThem(string direction)
    {
        RequireLibrary();
        const int length = 9;
        using var directory = new TemporaryDirectory();
        Gpt2Tokens.WriteFiles(directory.Path);
        using var reference = new Tokenizer(Gpt2Tokens.WriteJson(directory.Path, json =>
            json["truncation"] = new JsonObject { ["direction"] = direction, ["max_length"] = length, ["strategy"] = "LongestFirst", ["stride"] = 0 }));
        File.Delete(directory.File("tokenizer.json"));
        Compare(Read(directory.Path, Gpt2Tokens.Tokens.Length, maxTokens: length), reference, Enum.Parse<TruncationSide>(direction));
    }

    [Fact]
    public void ByteLevel_AddedTokens_AreFoundAsHuggingFaceFindsThem()
    {
        RequireLibrary();
        using var directory = new TemporaryDirectory();
        var rows = Gpt2Tokens.Tokens.Length;
        // Of these the first two are tokens already.
        JsonObject[] added =
        [
            DirectoryWriter.Added(Array.IndexOf(Gpt2Tokens.Tokens, "the"), "the", single: true), DirectoryWriter.Added(Array.IndexOf(Gpt2Tokens.Tokens, "aa"), "aa", normalized: true),
            DirectoryWriter.Added(rows, "@user", normalized: true, left: true), DirectoryWriter.Added(rows + 1, "😀", special: true, left: true, right: true), DirectoryWriter.Added(rows + 2, "\n", right: true),
        ];
        using var reference = new Tokenizer(Gpt2Tokens.WriteJson(directory.Path, json =>
        {
            json["added_tokens"] = new JsonArray([.. added.Select(token => token.DeepClone())]);
            json["pre_tokenizer"]!["add_prefix_space"] = true;
        }));
        File.WriteAllText(directory.File("tokenizer_config.json"), """{"add_prefix_space":true}""");
        Compare(Read(directory.Path, rows + 3), reference);
    }

    [Theory]
    [InlineData("a", 100_001)]
    [InlineData("ab", 70_001)]
    [InlineData("字", 20_001)]
    [InlineData("e\u0301", 20_001)]
    [InlineData("👍🏽", 5_001)]
    [InlineData("\n", 10_001)]
    [InlineData("-", 49)]
    public void ByteLevel_LongWords_EqualHuggingFace(string unit, int count)
    {
        RequireLibrary();
        using var directory = new TemporaryDirectory();
        using var reference = new Tokenizer(Gpt2Tokens.WriteJson(directory.Path));
        var tokenizer = Read(directory.Path, Gpt2Tokens.Tokens.Length, maxTokens: 64);
        var text = string.Concat(Enumerable.Repeat(unit, count));
        foreach (var end in (string[])["", " end"])
        {
            int[] all = [.. Ids(reference, text + end)];
            int[] first = [.. all[1..^1].Take(62)], last = [.. all[1..^1].TakeLast(62)];
            Assert.Equal(first, tokenizer.Encode(text + end).TokenIds[1..^1]);
            Assert.Equal(last, tokenizer.Encode(text + end, TruncationSide.Left).TokenIds[1..^1]);
        }
    }

    [Fact]
    public void ByteLevel_EveryCodePoint_IsOfTheSameKindAsInHuggingFace()
    {
        RequireLibrary();
        using var directory = new TemporaryDirectory();
        // Each kind of character shows in one of three merges with the first byte of any other.
        string[] merges = [.. from kind in "a1!" from lead in Enumerable.Range(0xC2, 0xF4 - 0xC2 + 1) select $"{kind} {ByteCharacters.Of((byte)lead)}"];
        string[] tokens = ["<s>", "<pad>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"{ByteCharacters.Of((byte)value)}"), .. merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal))];
        using var reference = new Tokenizer(Gpt2Tokens.WriteJson(directory.Path, tokens: tokens, merges: merges));
        var tokenizer = Read(directory.Path, tokens.Length);
        var faults = new List<int>();
        foreach (var block in Enumerable.Range(0x80, CodePoints - 0x80).Where(Rune.IsValid).Chunk(256))
            if (!Equal(block)) faults.AddRange(block.Where(value => !Equal([value])));

        Assert.Equal("", Ranges(faults));

        bool Equal(int[] values)
        {
            var text = string.Concat(values.Select(value => new Rune(value)).Select(rune => $"a{rune}\n1{rune}\n!{rune}\n"));
            return Ids(reference, text).SequenceEqual(tokenizer.Encode(text).TokenIds);
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public void Bert_EveryCodePoint_IsOfTheSameKindAsInHuggingFace(bool lowercase, bool stripAccents)
    {
        RequireLibrary();
        using var directory = new TemporaryDirectory();
        using var reference = new Tokenizer(WriteBert(directory.Path, lowercase, stripAccents));
        var tokenizer = Read(directory.Path, BertTokens.Length, TokenizerKind.WordPiece);
        var faults = new List<int>();
        foreach (var block in Enumerable.Range(0, CodePoints).Where(value => Rune.IsValid(value) && !HuggingFaceDifferences.Contains(new(value))).Chunk(256))
            if (!Equal(block)) faults.AddRange(block.Where(value => !Equal([value])));

        Assert.Equal("", Ranges(faults));

        bool Equal(int[] values)
        {
            var text = string.Concat(values.Select(value => $"a{new Rune(value)}b "));
            return Ids(reference, text).SequenceEqual(tokenizer.Encode(text).TokenIds);
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Bert_ManyTexts_EqualHuggingFace(bool lowercase, bool stripAccents)
    {
        RequireLibrary();
        using var directory = new TemporaryDirectory();
        using var reference = new Tokenizer(WriteBert(directory.Path, lowercase, stripAccents));
        Compare(Read(directory.Path, BertTokens.Length, TokenizerKind.WordPiece), reference, without: HuggingFaceDifferences.Contains);
    }

    private static string[] BertTokens { get; } = [.. File.ReadLines(Path.Combine(TestModels.Bundled, "vocab.txt"))];

    // As transformers saves it, without the special tokens among the added ones: they are text.
    private static string WriteBert(string directory, bool lowercase, bool stripAccents)
    {
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = new JsonObject { ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["strip_accents"] = stripAccents, ["lowercase"] = lowercase },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "BertPreTokenizer" },
            ["post_processor"] = new JsonObject { ["type"] = "BertProcessing", ["sep"] = new JsonArray("[SEP]", Array.IndexOf(BertTokens, "[SEP]")), ["cls"] = new JsonArray("[CLS]", Array.IndexOf(BertTokens, "[CLS]")) },
            ["model"] = new JsonObject
            {
                ["type"] = "WordPiece",
                ["unk_token"] = "[UNK]",
                ["continuing_subword_prefix"] = "##",
                ["max_input_chars_per_word"] = 100,
                ["vocab"] = Gpt2Tokens.Vocabulary(BertTokens),
            },
        };
        var path = Path.Combine(directory, "tokenizer.json");
        File.WriteAllText(path, json.ToJsonString());
        return path;
    }

    private static string Ranges(List<int> values) => string.Join(' ',
        values.Index().GroupBy(pair => pair.Item - pair.Index).Select(range => range.Count() == 1 ? $"{range.First().Item:X4}" : $"{range.First().Item:X4}-{range.Last().Item:X4}"));

    private static void Compare(ITokenizer tokenizer, Tokenizer reference, TruncationSide side = TruncationSide.Right, Func<Rune, bool>? without = null)
    {
        var texts = new ManyTexts(Seed);
        var faults = new List<string>();
        for (var i = 0; i < Count; i++)
        {
            var text = texts.Next();
            if (without is not null) text = string.Concat(text.EnumerateRunes().Where(rune => !without(rune)));
            if (!Ids(reference, text).SequenceEqual(tokenizer.Encode(text, side).TokenIds)) faults.Add(text);
        }

        Assert.True(faults.Count == 0, $"{faults.Count} texts have other tokens, the first of them {System.Text.Json.JsonSerializer.Serialize(faults.FirstOrDefault())}");
    }

    private static IEnumerable<int> Ids(Tokenizer reference, string text) => reference.Encode(text).Select(id => (int)id);

    private static ITokenizer Read(string directory, int rows, TokenizerKind kind = TokenizerKind.ByteLevel, int maxTokens = AnyLength) =>
        Worker.Tokenization.Tokenizers.Read(directory, (kind is TokenizerKind.ByteLevel ? Architectures.Roberta : Architectures.Bert).Standard with { VocabSize = rows, MaxPositions = maxTokens });

    private static void RequireLibrary() =>
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64, "Hugging Face's library is here for Linux on x86-64 only.");
}

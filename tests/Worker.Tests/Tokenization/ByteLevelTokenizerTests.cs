using System.Text;
using CsCheck;
using Lab.Worker.Checkpoints;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Tokenization;

public sealed class ByteLevelTokenizerTests
{
    private const int MaxTokens = 16;
    private const int Cls = 0;
    private const int Sep = 2;

    private static readonly ByteLevelFiles Files = ReadFiles();
    private static readonly ByteLevelTokenizer Tokenizer = new(Files, MaxTokens);

    [Theory]
    [InlineData("Hello world", "Hello|Ġworld")]
    [InlineData(" Hello  world", "ĠHello|Ġ|Ġworld")]
    [InlineData("don't stop", "don|'t|Ġstop")]
    [InlineData("a\n\n b\u00A0c", "a|ĊĊ|Ġb|Âł|c")]
    [InlineData("x2 ² Ⅻ", "x|2|ĠÂ|²|Ġâ|ħ|«")]
    [InlineData("", "")]
    [InlineData("</s>", "</|s|>")]
    [InlineData("<s><pad><unk><mask>", "<|s|><|pad|><|unk|><|mask|>")]
    public void Encode_Text_IsMergedWithinItsWords(string text, string expected)
    {
        var encoded = Tokenizer.Encode(text);

        Assert.Equal(expected, string.Join('|', encoded.TokenIds[1..^1].Select(id => Files.Vocabulary.Tokens[id])));
        Assert.Equal((Cls, Sep, encoded.TokenIds.Length, false), (encoded.TokenIds[0], encoded.TokenIds[^1], encoded.SecondStart, encoded.Truncated));
    }

    [Fact]
    public void Encode_LoneSurrogate_IsTheReplacementCharacter()
    {
        Assert.Equal(Tokenizer.Encode("\uFFFDa").TokenIds, Tokenizer.Encode("\uD800a").TokenIds);
        Assert.Equal(Tokenizer.Encode("a \uFFFD\uFFFD").TokenIds, Tokenizer.Encode("a \uDC00\uD83D").TokenIds);
    }

    [Fact]
    public void EncodePair_TwoTexts_HasTwoSeparatorsBetweenThemAndNoTypes()
    {
        var encoded = Tokenizer.EncodePair("a", "b");

        Assert.Equal([Cls, Id("a"), Sep, Sep, Id("b"), Sep], encoded.TokenIds);
        Assert.Equal(6, encoded.SecondStart);
    }

    [Theory]
    [InlineData(3, 20, 3, 9)]
    [InlineData(20, 3, 9, 3)]
    [InlineData(20, 19, 6, 6)]
    [InlineData(6, 6, 6, 6)]
    public void EncodePair_TooLong_TakesFromTheLonger(int first, int second, int firstKept, int secondKept)
    {
        foreach (var side in (TruncationSide[])[TruncationSide.Right, TruncationSide.Left])
        {
            var encoded = Tokenizer.EncodePair(Count("a", first), Count("b", second), side);

            int[] expected = [Cls, .. Kept("a", first, firstKept, side), Sep, Sep, .. Kept("b", second, secondKept, side), Sep];
            Assert.Equal(expected, encoded.TokenIds);
            Assert.Equal(first + second > MaxTokens - 4, encoded.Truncated);
        }

        // "a a a": the first has no space before it.
        static string Count(string word, int count) => string.Join(' ', Enumerable.Repeat(word, count));
        static IEnumerable<int> Kept(string word, int count, int kept, TruncationSide side) =>
            Enumerable.Range(side is TruncationSide.Right ? 0 : count - kept, kept).Select(i => Id(i == 0 ? word : $"Ġ{word}"));
    }

    [Fact]
    public void Encode_AnyText_IsCutFromWhatItIsWithoutALimit()
    {
        var whole = new ByteLevelTokenizer(Files, 1 << 14);
        TextGen.Text.Array[1, 12].Select(string.Concat).Sample(text =>
        {
            var all = whole.Encode(text).TokenIds[1..^1];
            Assert.Equal(all.Take(MaxTokens - 2), Tokenizer.Encode(text).TokenIds[1..^1]);
            Assert.Equal(all.TakeLast(MaxTokens - 2), Tokenizer.Encode(text, TruncationSide.Left).TokenIds[1..^1]);
            Assert.Equal(all.Length > MaxTokens - 2, Tokenizer.Encode(text).Truncated);
            Assert.Equal(Encoding.UTF8.GetBytes(text).Length, all.Sum(id => Files.Vocabulary.Tokens[id].Length));
        }, iter: 1_000);
    }

    [Fact]
    public void Encode_AnyUtf16_GivesTokensOfTheVocabularyWithinTheLimit() =>
        Gen.UShort.Array[0, 200].Select(units => string.Concat(units.Select(unit => (char)unit))).Sample(text =>
        {
            foreach (var ids in (int[][])[Tokenizer.Encode(text).TokenIds, Tokenizer.Encode(text, TruncationSide.Left).TokenIds, Tokenizer.EncodePair(text, "a").TokenIds])
            {
                Assert.InRange(ids.Length, 2, MaxTokens);
                Assert.All(ids, id => Assert.InRange(id, 0, Files.Vocabulary.Tokens.Count - 1));
            }
        }, iter: 1_000);

    [Fact]
    public void Encode_PrefixSpace_StandsBeforeTheTextOnce()
    {
        var tokenizer = new ByteLevelTokenizer(Files with { AddPrefixSpace = true }, MaxTokens);

        Assert.Equal([Id("ĠHello")], tokenizer.Encode("Hello").TokenIds[1..^1]);
        Assert.Equal([Id("ĠHello")], tokenizer.Encode(" Hello").TokenIds[1..^1]);
        Assert.Equal([Id("Ġ"), Id("Ċ"), Id("a")], tokenizer.Encode("\na").TokenIds[1..^1]);
        Assert.Empty(tokenizer.Encode("").TokenIds[1..^1]);
        // Where the beginning is cut off, its space is too.
        var text = string.Concat(Enumerable.Repeat("x\n", 400));
        Assert.Equal(Tokenizer.Encode(text, TruncationSide.Left).TokenIds, tokenizer.Encode(text, TruncationSide.Left).TokenIds);
    }

    // With a time in proportion to the square each would take minutes to hours.
    [Theory]
    [InlineData("a")]
    [InlineData("字")]
    [InlineData(" ")]
    [InlineData("😀")]
    [InlineData("the ")]
    public async Task Encode_AMebibyte_TakesTimeInProportion(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, (1 << 20) / unit.Length));

        var (right, left) = await Task.Run(() => (Tokenizer.Encode(text), Tokenizer.Encode(text, TruncationSide.Left)), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        Assert.True(right.Truncated && left.Truncated);
        Assert.Equal((MaxTokens, MaxTokens), (right.TokenIds.Length, left.TokenIds.Length));
    }

    private static int Id(string token) => Files.Vocabulary.Ids[token];

    private static ByteLevelFiles ReadFiles()
    {
        using var directory = new TemporaryDirectory();
        Gpt2Tokens.WriteFiles(directory.Path);
        return ByteLevelFiles.Read(directory.Path, Gpt2Tokens.Tokens.Length);
    }
}

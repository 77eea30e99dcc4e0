using CsCheck;
using Lab.Worker.Checkpoints;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Tokenization;

public sealed class BertTokenizerTests
{
    private const int MaxTokens = 24;

    private static readonly string[] Pieces =
    [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "##a", "##b", "the", "a", "b", "!", "[", "]",
        "cls", "😀", "##😀", "creme", "字",
    ];

    [Theory]
    [InlineData("unaffable", "un ##aff ##able")]
    [InlineData("UNAFFABLE!", "un ##aff ##able !")]
    [InlineData("the Crème", "the creme")]
    [InlineData("unx the", "[UNK] the")]
    [InlineData("[CLS]", "[ cls ]")]
    [InlineData("[PAD] a", "[ [UNK] ] a")]
    [InlineData("😀😀 a", "😀 ##😀 a")]
    [InlineData("a字b", "a 字 b")]
    [InlineData("##a", "[UNK] [UNK] a")]
    [InlineData("", "")]
    [InlineData("\u0000\u0301", "")]
    public void Encode_Words_BecomeTheLongestPieces(string text, string expected)
    {
        var encoded = Small().Encode(text);

        Assert.Equal($"[CLS] {expected} [SEP]".Replace("  ", " ", StringComparison.Ordinal), string.Join(' ', encoded.TokenIds.Select(id => Pieces[id])));
        Assert.False(encoded.Truncated);
    }

    [Fact]
    public void Encode_WordOf100Characters_HasPiecesAndALongerOneIsUnknown()
    {
        var tokenizer = Small(maxTokens: 150);

        Assert.Equal(102, tokenizer.Encode("a" + new string('b', 99)).TokenIds.Length);
        Assert.Equal([2, 1, 3], tokenizer.Encode("a" + new string('b', 100)).TokenIds);
        Assert.Equal(102, tokenizer.Encode(string.Concat(Enumerable.Repeat("😀", 100))).TokenIds.Length);
        Assert.Equal([2, 1, 3], tokenizer.Encode(string.Concat(Enumerable.Repeat("😀", 101))).TokenIds);
    }

    [Theory]
    [InlineData(22, false)]
    [InlineData(23, true)]
    [InlineData(100_000, true)]
    public void Encode_MoreWordsThanFit_KeepsTheSpecialTokens(int words, bool truncated)
    {
        var encoded = Small().Encode(string.Join(' ', Enumerable.Repeat("the", words)));

        Assert.Equal(truncated, encoded.Truncated);
        Assert.Equal(MaxTokens, encoded.TokenIds.Length);
        Assert.Equal((2, 3), (encoded.TokenIds[0], encoded.TokenIds[^1]));
        Assert.All(encoded.TokenIds[1..^1], id => Assert.Equal(10, id));
    }

    [Fact]
    public void Encode_LimitWithinAWord_CutsBetweenItsPieces()
    {
        var encoded = Small(maxTokens: 4).Encode("unaffable");

        Assert.Equal([2, 5, 6, 3], encoded.TokenIds);
        Assert.True(encoded.Truncated);
    }

    [Fact]
    public void Encode_CutAtTheLeft_KeepsTheEnd()
    {
        var encoded = Small(maxTokens: 5).Encode("the the unaffable b", TruncationSide.Left);

        Assert.Equal([2, 6, 7, 12, 3], encoded.TokenIds);
        Assert.True(encoded.Truncated);
    }

    [Theory]
    [InlineData("a b", "the", "a b [SEP] the", false)]
    [InlineData("a a a a a a", "b", "a a a a [SEP] b", true)]
    [InlineData("b", "a a a a a a", "b [SEP] a a a a", true)]
    [InlineData("a a a a a a", "b b b b", "a a a [SEP] b b", true)]
    [InlineData("a a a a", "b b b b b b", "a a [SEP] b b b", true)]
    [InlineData("a a a a", "b b b b", "a a [SEP] b b b", true)]
    public void EncodePair_TooLong_TakesFromTheLonger(string first, string second, string expected, bool truncated)
    {
        var encoded = Small(maxTokens: 8).EncodePair(first, second);

        Assert.Equal($"[CLS] {expected} [SEP]", string.Join(' ', encoded.TokenIds.Select(id => Pieces[id])));
        Assert.Equal(truncated, encoded.Truncated);
    }

    [Theory]
    [InlineData(8, 4)]
    [InlineData(6, 3)]
    public void EncodePair_TokensOfTypeOne_BeginBehindTheFirstSeparator(int maxTokens, int expected)
    {
        var encoded = Small(maxTokens).EncodePair("a a", "b b");

        Assert.Equal(expected, encoded.SecondStart);
        Assert.Equal(3, encoded.TokenIds[expected - 1]);
        Assert.Equal(4, Small(maxTokens).Encode("a a").SecondStart);
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    [InlineData(false, false, true)]
    [InlineData(true, true, false)]
    [InlineData(false, false, false)]
    public void Encode_AnyText_EqualsTheReference(bool lowercase, bool stripAccents, bool separateIdeographs)
    {
        var vocabulary = Vocabulary.Read(TestModels.Bundled, 30522);
        var reference = new ReferenceTokenizer(vocabulary.Tokens, lowercase, stripAccents, separateIdeographs);
        var tokenizer = new BertTokenizer(vocabulary, new(lowercase) { StripAccents = stripAccents, SeparateIdeographs = separateIdeographs }, MaxTokens);
        TextGen.Text.Sample(text =>
        {
            var encoded = tokenizer.Encode(text);
            Assert.Equal(reference.Encode(text, MaxTokens), encoded.TokenIds);
            Assert.Equal(reference.Count(text) > MaxTokens, encoded.Truncated);
        }, iter: 5_000);
    }

    [Fact]
    public void Encode_AnyTextCutAtTheLeft_EqualsTheReferencesEnd()
    {
        var vocabulary = Vocabulary.Read(TestModels.Bundled, 30522);
        var reference = new ReferenceTokenizer(vocabulary.Tokens);
        var tokenizer = new BertTokenizer(vocabulary, new(Lowercase: true), MaxTokens);
        TextGen.Text.Array[1, 20].Select(string.Concat).Sample(text =>
        {
            var all = reference.Encode(text, int.MaxValue)[1..^1];
            Assert.Equal(all.TakeLast(MaxTokens - 2), tokenizer.Encode(text, TruncationSide.Left).TokenIds[1..^1]);
        }, iter: 1_000);
    }

    [Fact]
    public void Encode_AnyUtf16_GivesTokensOfTheVocabularyWithinTheLimit()
    {
        var vocabulary = Vocabulary.Read(TestModels.Bundled, 30522);
        BertTokenizer[] tokenizers = [new(vocabulary, new(Lowercase: true), MaxTokens), new(vocabulary, new(Lowercase: false), MaxTokens)];
        // Whatever 16-bit units there are, in any order: halves of pairs, noncharacters, controls.
        Gen.UShort.Array[0, 200].Select(units => string.Concat(units.Select(unit => (char)unit))).Sample(text =>
        {
            foreach (var tokenizer in tokenizers)
            {
                foreach (var ids in (int[][])[tokenizer.Encode(text).TokenIds, tokenizer.Encode(text, TruncationSide.Left).TokenIds, tokenizer.EncodePair(text, "a").TokenIds])
                {
                    Assert.InRange(ids.Length, 2, MaxTokens);
                    Assert.Equal((vocabulary.ClsId, vocabulary.SepId), (ids[0], ids[^1]));
                    Assert.All(ids, id => Assert.InRange(id, 0, vocabulary.Tokens.Count - 1));
                }
            }
        }, iter: 3_000);
    }

    private static BertTokenizer Small(int maxTokens = MaxTokens)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllLines(directory.File("vocab.txt"), Pieces);
        return new(Vocabulary.Read(directory.Path, Pieces.Length), new(Lowercase: true), maxTokens);
    }
}

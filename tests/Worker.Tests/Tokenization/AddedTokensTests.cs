using CsCheck;
using Lab.Worker.Checkpoints;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Tokenization;

public sealed class AddedTokensTests
{
    private static readonly string[] Contents = ["<user>", "[E1]", "e1", "Größe", "grosse", "中", "a b", "##", "_x_", "movie", "\t", "É", "[E", "!?"];

    [Theory]
    [InlineData("no token here", "no token here")]
    [InlineData("a<X>b", "a|<X>|b")]
    [InlineData("<X><X>", "<X>|<X>")]
    [InlineData("<x> <XY>", "<x> |<XY>")]
    [InlineData("", "")]
    [InlineData("say  <L>  it", "say|  <L>|  it")]
    [InlineData("say  <R>  it", "say  |<R>  |it")]
    [InlineData("<R> <L>", "<R> |<L>")]
    [InlineData("a<W> <W>b <W>", "a<W> <W>b |<W>")]
    [InlineData("<W>\u0330 <W>-<W>_", "<W>\u0330 |<W>|-<W>_")]
    public void Parts_RawText_AreTokensAndWhatIsBetween(string text, string expected)
    {
        var tokens = new AddedTokens(
            [
                new(100, "<X>", Normalized: false), new(101, "<XY>", Normalized: false), new(102, "<L>", Normalized: false, LeftStrip: true),
                new(103, "<R>", Normalized: false, RightStrip: true), new(104, "<W>", Normalized: false, SingleWord: true),
            ],
            new(lowercase: true, stripAccents: true));

        var parts = tokens.Parts(text).ToList();

        Assert.Equal(expected, string.Join('|', parts.Select(part => part.Text)));
        Assert.All(parts, part => Assert.Equal(part.Text.Contains('<', StringComparison.Ordinal) && Contains(part.Text), part.TokenId is not null));

        // Of the tokens by themselves, with nothing but space beside them.
        static bool Contains(string part) => part.Trim() is "<X>" or "<XY>" or "<L>" or "<R>" or "<W>";
    }

    [Fact]
    public void Parts_NormalizedToken_IsFoundInWhateverFormItIsWritten()
    {
        var tokens = new AddedTokens([new(7, "Über", Normalized: true), new(8, "[U]", Normalized: false)], new(lowercase: true, stripAccents: true));

        Assert.Equal([(null, "so "), (7, "uber"), (8, "[U]"), (7, "uber"), (null, "!")], tokens.Parts("SO U\u0308BER[U]über!").Select(part => (part.TokenId, part.Text)));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Parts_TokenOfWhiteSpaceThatSwallowsMore_TakesTimeInProportion(bool left, bool right)
    {
        var tokens = new AddedTokens([new(7, " ", Normalized: false, LeftStrip: left, RightStrip: right)], new(lowercase: true, stripAccents: true));

        // With a time in proportion to the square this would take an hour.
        var parts = await Task.Run(() => tokens.Parts(new string(' ', 1_000_000) + "x").Count(), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.True(parts > 1);
    }

    [Fact]
    public void Encode_AnyTokensInAnyText_EqualsTheReference()
    {
        // A small vocabulary, since each sample makes a tokeniser.
        using var directory = TestModels.Write(TestModels.Small);
        var vocabulary = Vocabulary.ReadWithin(directory.Path, int.MaxValue);
        var token = Gen.Select(Gen.Int[0, Contents.Length - 1], Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool,
            (content, normalized, single, left, right) => new AddedToken(150 + content, Contents[content], normalized, single, left, right));
        var text = Gen.OneOf(Gen.Int[0, Contents.Length - 1].Select(i => Contents[i]), Gen.Const(" "), Gen.Const("x"), TextGen.Text).Array[0, 12].Select(string.Concat);
        Gen.Select(token.Array[1, 5].Select(all => all.DistinctBy(one => one.Id).ToArray()), text, Gen.Bool).Sample((added, written, lowercase) =>
        {
            // Of two that are the same once they are normalised, either may be meant.
            if (added.Where(one => one.Normalized).Select(one => one.Content.ToLowerInvariant()).Distinct().Count() < added.Count(one => one.Normalized)) return;
            var tokenizer = new BertTokenizer(vocabulary, new(lowercase) { AddedTokens = added }, 64);
            var reference = new ReferenceTokenizer(vocabulary.Tokens, lowercase, added: added);

            Assert.Equal(reference.Encode(written, 64), tokenizer.Encode(written).TokenIds);
            Assert.Equal(reference.Encode(written, int.MaxValue)[1..^1].TakeLast(62), tokenizer.Encode(written, TruncationSide.Left).TokenIds[1..^1]);
        }, iter: 2_000);
    }

    [Fact]
    public void Encode_VeryLongTextOfTokens_StopsAtTheLimit()
    {
        var vocabulary = Vocabulary.Read(TestModels.Bundled, 30522);
        var tokenizer = new BertTokenizer(vocabulary, new(Lowercase: true) { AddedTokens = [new(30522, "<t>", Normalized: true)] }, 16);

        var encoded = tokenizer.Encode(string.Concat(Enumerable.Repeat("<T>\u0301\u0302", 1_000_000)));

        Assert.True(encoded.Truncated);
        Assert.Equal(Enumerable.Repeat(30522, 14), encoded.TokenIds[1..^1]);
    }
}

using System.Globalization;
using System.Text;
using CsCheck;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Tokenization;

public sealed class BertNormalizerTests
{
    private static readonly BertNormalizer Uncased = new(lowercase: true, stripAccents: true);
    private static readonly BertNormalizer Cased = new(lowercase: false, stripAccents: false);

    [Theory]
    [InlineData("Hello, World!", "hello , world !")]
    [InlineData("  a\tb\nc\rd  ", "a b c d")]
    [InlineData("don't", "don ' t")]
    [InlineData("$1+1<=>2^`|~", "$ 1 + 1 < = > 2 ^ ` | ~")]
    [InlineData("[CLS] [SEP] [UNK]", "[ cls ] [ sep ] [ unk ]")]
    [InlineData("Crème Brûlée", "creme brulee")]
    [InlineData("cre\u0300me", "creme")]
    [InlineData("\u0301\u0300", "")]
    [InlineData("ÀÉÎÕÜ ŻÓŁW", "aeiou zołw")]
    [InlineData("İstanbul I\u0307", "istanbul i")]
    [InlineData("STRASSE Straße ẞ", "strasse straße ß")]
    [InlineData("ΟΔΟΣ", "οδοσ")]
    [InlineData("中文abc字", "中 文 abc 字")]
    [InlineData("\U00020000\uF900", "\U00020000 豈")]
    [InlineData("한국", "\u1112\u1161\u11AB\u1100\u116E\u11A8")]
    [InlineData("がぎ", "かき")]
    [InlineData("a😀b 👍🏽", "a😀b 👍🏽")]
    [InlineData("\u201Cquoted\u201D \u2014 \u00BFqué?", "\u201C quoted \u201D \u2014 \u00BF que ?")]
    [InlineData("a\u0000b\uFFFDc\u200Dd\u00ADe\uE000f", "abcdef")]
    [InlineData("a\u000Bb\u0085c\u001Fd", "abcd")]
    [InlineData("a\u00A0b\u2003c\u2028d\u2029e\u3000f", "a b c d e f")]
    [InlineData("\uD800a\uDC00b\uD83D", "ab")]
    [InlineData("x\u2260y \u037E", "x = y ;")]
    [InlineData("€100 ©2020 ½", "€100 ©2020 ½")]
    [InlineData("", "")]
    public void Normalize_Uncased_WordsBySingleSpaces(string text, string expected) =>
        Assert.Equal(expected, Uncased.Normalize(text));

    [Theory]
    [InlineData("Crème Brûlée!", "Crème Brûlée !")]
    [InlineData("e\u0301 ΟΔΟΣ\u2014x", "e\u0301 ΟΔΟΣ \u2014 x")]
    public void Normalize_Cased_KeepsCaseAndAccents(string text, string expected) =>
        Assert.Equal(expected, Cased.Normalize(text));

    [Fact]
    public void Normalize_EveryCodePoint_EqualsTheReference()
    {
        for (var value = 0; value <= 0x10FFFF; value++)
        {
            if (!Rune.IsValid(value)) continue;
            var text = $"a{new Rune(value)}é";
            var expected = string.Join(' ', ReferenceTokenizer.Words(text));
            if (expected != Uncased.Normalize(text))
                Assert.Fail($"U+{value:X4}: expected \"{expected}\", but it was \"{Uncased.Normalize(text)}\"");
        }
    }

    [Fact]
    public void Normalize_EveryCodePointCased_EqualsTheReference()
    {
        for (var value = 0; value <= 0x10FFFF; value++)
        {
            if (!Rune.IsValid(value)) continue;
            var text = $"A{new Rune(value)}é";
            var expected = string.Join(' ', ReferenceTokenizer.Words(text, lowercase: false));
            if (expected != Cased.Normalize(text))
                Assert.Fail($"U+{value:X4}: expected \"{expected}\", but it was \"{Cased.Normalize(text)}\"");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Normalize_AnyText_EqualsTheReference(bool lowercase)
    {
        var normalizer = lowercase ? Uncased : Cased;
        TextGen.Text.Sample(text => Assert.Equal(Words(text, lowercase), normalizer.Normalize(text)), iter: 5_000);
    }

    [Theory]
    [InlineData("X\u302E\U00016F8F\u1B44-")]
    [InlineData("X\u302E\u0301\u1B44-")]
    public void Normalize_MarkBetweenSpacingMarks_ReordersAsTheReference(string text) =>
        Assert.Equal(Words(text), Uncased.Normalize(text));

    [Fact]
    public void Normalize_LongRunsOfCombiningCharacters_EqualTheReference()
    {
        // Spacing marks of different combining classes, which canonical ordering moves about.
        int[] spacing = [.. Enumerable.Range(0x300, 0x1E000).Where(value => Rune.IsValid(value)
            && Rune.GetUnicodeCategory(new Rune(value)) is UnicodeCategory.SpacingCombiningMark)];
        var run = Gen.Int[0, spacing.Length - 1].Select(i => spacing[i]).Array[0, 90].Select(marks => "ö" + string.Concat(marks.Select(char.ConvertFromUtf32)));
        run.Array[1, 8].Select(string.Concat).Sample(text => Assert.Equal(Words(text), Uncased.Normalize(text)), iter: 1_000);
    }

    [Theory]
    [InlineData(true, false, true, "Crème Brûlée, İ 中文", "crème brûlée , i\u0307 中 文")]
    [InlineData(false, true, true, "Crème Brûlée, İ 中文", "Creme Brulee , I 中 文")]
    [InlineData(true, true, false, "Crème 中文 \uF900a", "creme 中文 豈a")]
    [InlineData(false, false, false, "e\u0301\uF900 中文!", "e\u0301\uF900 中文 !")]
    public void Normalize_EachSettingByItself_DoesItsOwn(bool lowercase, bool stripAccents, bool separateIdeographs, string text, string expected) =>
        Assert.Equal(expected, new BertNormalizer(lowercase, stripAccents, separateIdeographs).Normalize(text));

    [Theory]
    [InlineData(" A\tb,C\u0000d ", " a b,cd ")]
    [InlineData("Ü中  ", "u 中   ")]
    [InlineData("", "")]
    public void NormalizeOnly_LeavesSpacesAndPunctuationWhereTheyAre(string text, string expected) =>
        Assert.Equal(expected, Uncased.NormalizeOnly(text));

    [Fact]
    public void NormalizeOnly_LongWord_IsKept() => Assert.Equal(new string('b', 5000), Uncased.NormalizeOnly(new string('B', 5000)));

    [Fact]
    public void Normalize_EnoughWords_StopsThere()
    {
        var normalizer = new BertNormalizer(lowercase: true, stripAccents: true, maxWords: 3);

        Assert.Equal("a b c", normalizer.Normalize("a b c d e f"));
        Assert.Equal("a , b", normalizer.Normalize("a,b,c"));
        Assert.Equal("a 字 中", normalizer.Normalize("a字中文"));
        Assert.Equal("a b", normalizer.Normalize("a b"));
    }

    [Fact]
    public void Normalize_WordOfTooManyCharacters_IsUnknownAsAWhole()
    {
        Assert.Equal($"a {new string('b', 100)} c", Uncased.Normalize($"a {new string('b', 100)} c"));
        Assert.Equal("a \uFFFF c", Uncased.Normalize($"a {new string('b', 101)} c"));
        Assert.Equal("a \uFFFF c", Uncased.Normalize($"a {string.Concat(Enumerable.Repeat("😀", 101))} c"));
        Assert.Equal("a \uFFFF !", Uncased.Normalize($"a {new string('ü', 1_000_000)}!"));
    }

    private static string Words(string text, bool lowercase = true) =>
        string.Join(' ', ReferenceTokenizer.Words(text, lowercase).Select(word => word.EnumerateRunes().Count() > 100 ? "\uFFFF" : word));
}

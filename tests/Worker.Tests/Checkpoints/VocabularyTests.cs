using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.Checkpoints;

public sealed class VocabularyTests
{
    [Fact]
    public void Read_LinesOfEitherKind_AreTokensInOrder()
    {
        var vocabulary = Read("[PAD]\n[UNK]\r\n[CLS]\n[SEP]\nthe\u2028x\n", 5);

        Assert.Equal((0, 1, 2, 3), (vocabulary.PadId, vocabulary.UnknownId, vocabulary.ClsId, vocabulary.SepId));
        Assert.Equal("the\u2028x", vocabulary.Tokens[4]);
    }

    [Fact]
    public void Read_ByteOrderMark_IsNoPartOfTheFirstToken() => Assert.Equal(0, Read("\uFEFF[PAD]\n[UNK]\n[CLS]\n[SEP]\n", 4).PadId);

    [Theory]
    [InlineData("[PAD]\n[UNK]\n[SEP]\nx\n", 4, "[CLS] is missing")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\nx\n", 4, "[SEP] is missing")]
    [InlineData("[PAD]\n[SEP]\n[CLS]\nx\n", 4, "[UNK] is missing")]
    [InlineData("[UNK]\n[SEP]\n[CLS]\nx\n", 4, "[PAD] is missing")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[SEP]\nx\nx\n", 6, "\"x\" stands in line 5 and again in line 6")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[SEP]\n\nx\n", 6, "line 5 is empty")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[SEP]\n\uffff\n", 5, "the token with the id 4 has U+FFFF in it")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[SEP]\nx\n", 6, "has 5 tokens, but vocab_size in config.json is 6")]
    [InlineData("", 4, "has 0 tokens")]
    public void Read_NoVocabulary_SaysWhy(string text, int size, string expected)
    {
        var error = Assert.Throws<ModelDirectoryException>(() => Read(text, size));

        Assert.Contains("vocab.txt: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_InvalidUtf8_SaysSo()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllBytes(directory.File("vocab.txt"), [0x41, 0xFF, 0x0A]);

        var error = Assert.Throws<ModelDirectoryException>(() => Vocabulary.Read(directory.Path, 1));
        Assert.Contains("UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MissingFile_SaysSo()
    {
        using var directory = new TemporaryDirectory();

        var error = Assert.Throws<ModelDirectoryException>(() => Vocabulary.Read(directory.Path, 1));
        Assert.Contains("vocab.txt: does not exist", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"do_lower_case":false}""", false)]
    [InlineData("""{"do_lower_case":true,"strip_accents":null}""", true)]
    [InlineData("{}", true)]
    [InlineData(null, true)]
    public void TokenizerConfig_Lowercase_IsReadAndDefaultsToTrue(string? json, bool expected)
    {
        using var directory = new TemporaryDirectory();
        if (json is not null) File.WriteAllText(directory.File("tokenizer_config.json"), json);

        Assert.Equal(expected, TokenizerConfig.Read(directory.Path).Lowercase);
    }

    [Theory]
    [InlineData("""{"do_lower_case":"yes"}""")]
    [InlineData("[]")]
    public void TokenizerConfig_Unsupported_IsRefused(string json)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("tokenizer_config.json"), json);

        Assert.Throws<ModelDirectoryException>(() => TokenizerConfig.Read(directory.Path));
    }

    private static Vocabulary Read(string text, int size)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("vocab.txt"), text);
        return Vocabulary.Read(directory.Path, size);
    }
}

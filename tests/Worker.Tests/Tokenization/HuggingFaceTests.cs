using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Lab.Worker.Checkpoints;
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

    private static int Count => int.Parse(Environment.GetEnvironmentVariable("LAB_TOKENIZER_TEXTS") ?? "2000", CultureInfo.InvariantCulture);

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

    private static void Compare(ITokenizer tokenizer, Tokenizer reference)
    {
        var texts = new ManyTexts(Seed);
        var faults = new List<string>();
        for (var i = 0; i < Count; i++)
        {
            var text = texts.Next();
            if (!Ids(reference, text).SequenceEqual(tokenizer.Encode(text).TokenIds)) faults.Add(text);
        }

        Assert.True(faults.Count == 0, $"{faults.Count} texts have other tokens, the first of them {System.Text.Json.JsonSerializer.Serialize(faults.FirstOrDefault())}");
    }

    private static IEnumerable<int> Ids(Tokenizer reference, string text) => reference.Encode(text).Select(id => (int)id);

    private static ITokenizer Read(string directory, int rows) =>
        Worker.Tokenization.Tokenizers.Read(directory, new EncoderConfig { Tokenizer = TokenizerKind.ByteLevel, VocabSize = rows, MaxPositions = AnyLength });

    private static void RequireLibrary() =>
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64, "Hugging Face's library is here for Linux on x86-64 only.");
}

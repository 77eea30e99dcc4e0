using Lab.Bench.Load;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;

namespace Lab.Bench.Tests.Load;

public sealed class TextsTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("plain")]
    [InlineData("\"quotes\", \\ and \u0001 and \ud83d\ude00 and <tags>")]
    public async Task Body_AnyText_IsReadAsThatText(string value)
    {
        var context = new DefaultHttpContext();
        context.Request.ContentType = "application/json";
        context.Request.Body = new MemoryStream(new Text(value).Body);

        var body = await TextBody.ReadAsync(context.Request, TestContext.Current.CancellationToken);

        Assert.True(body.TryGet(out var read, out _));
        Assert.Equal(value, read.Text);
    }

    [Fact]
    public void RandomLetters_SameNumber_IsTheSameText()
    {
        var texts = TextSource.RandomLetters(1);

        Assert.Equal(texts.Next(3).Value, texts.Next(3).Value);
        Assert.NotEqual(texts.Next(3).Value, texts.Next(4).Value);
        Assert.Equal(50, texts.Next(5).Value.Length);
    }

    [Fact]
    public void FromFile_LinesInTurn_BeginAgain()
    {
        File.WriteAllText(_file, "one\n\n  \ntwo\n");
        var texts = TextSource.FromFile(_file);

        Assert.Equal(["one", "two", "one"], Enumerable.Range(0, 3).Select(number => texts.Next(number).Value));
    }

    [Fact]
    public async Task FromFile_TwoTextsWithATab_AreSentAsAPair()
    {
        await File.WriteAllTextAsync(_file, "Is it good?\tIt is \"not\".\nalone\n", TestContext.Current.CancellationToken);
        var texts = TextSource.FromFile(_file);

        Assert.Equal([("Is it good?", "It is \"not\"."), ("alone", null)], Enumerable.Range(0, 2).Select(number => (texts.Next(number).Value, texts.Next(number).Pair)));
        var context = new DefaultHttpContext();
        context.Request.ContentType = "application/json";
        context.Request.Body = new MemoryStream(texts.Next(0).Body);
        var body = await TextBody.ReadAsync(context.Request, TestContext.Current.CancellationToken);
        Assert.True(body.TryGet(out var read, out _));
        Assert.Equal(("Is it good?", "It is \"not\"."), (read.Text, read.Pair));
    }

    [Theory]
    [InlineData("a\t")]
    [InlineData("\tb")]
    [InlineData("a\tb\tc")]
    public void FromFile_TabsAndNoPair_IsNamed(string line)
    {
        File.WriteAllText(_file, $"good\n{line}\n");

        Assert.Contains("Line 2", Assert.Throws<BenchException>(() => TextSource.FromFile(_file)).Message);
    }

    [Fact]
    public void KnownAnswers_OfPairs_AreRead()
    {
        File.WriteAllText(_file, "Is it good?\tIt is not.\tNEGATIVE\n{\"input_text\":\"a\",\"text_pair\":\"b\",\"label\":\"POSITIVE\"}\n");

        Assert.Equal(
            [("Is it good?", "It is not.", "NEGATIVE"), ("a", "b", "POSITIVE")],
            KnownAnswer.ReadFile(_file).Select(text => (text.Value, text.Pair!, text.Known!.Label)));
    }

    [Fact]
    public void FromFile_NoText_IsRefused() => Assert.Equal(ExitCode.Usage, Assert.Throws<BenchException>(() => TextSource.FromFile(_file)).Code);

    [Fact]
    public void KnownAnswers_BothForms_AreRead()
    {
        File.WriteAllText(_file, "A dull mess\tNEGATIVE\n{\"input_text\":\"fine\",\"label\":\"POSITIVE\",\"probabilities\":[0.1,0.9]}\n");

        var texts = KnownAnswer.ReadFile(_file);

        Assert.Equal([("A dull mess", "NEGATIVE"), ("fine", "POSITIVE")], texts.Select(text => (text.Value, text.Known!.Label)));
        Assert.Equal([0.1f, 0.9f], texts[1].Known!.Probabilities);
    }

    [Theory]
    [InlineData("no tab")]
    [InlineData("a\tb\tc\tPOSITIVE")]
    [InlineData("{\"label\":\"POSITIVE\"}")]
    [InlineData("{broken")]
    public void KnownAnswers_BadLine_IsNamed(string line)
    {
        File.WriteAllText(_file, $"good\tPOSITIVE\n{line}\n");

        Assert.Contains("Line 2", Assert.Throws<BenchException>(() => KnownAnswer.ReadFile(_file)).Message);
    }

    [Theory]
    [InlineData("30s", 30.0)]
    [InlineData("2m", 120.0)]
    [InlineData("500ms", 0.5)]
    [InlineData("1.5", 1.5)]
    [InlineData("0s", null)]
    [InlineData("-1s", null)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    [InlineData("99h", null)]
    public void Durations_Text_IsRead(string text, double? seconds) => Assert.Equal(seconds, Durations.Parse(text)?.TotalSeconds);
}

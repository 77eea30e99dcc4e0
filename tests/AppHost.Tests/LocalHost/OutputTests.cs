using Lab.AppHost.LocalHost;

namespace Lab.AppHost.Tests.LocalHost;

public sealed class OutputTests
{
    [Fact]
    public void From_PlainText_PrefixesTheName()
    {
        var writer = new StringWriter();
        new Output(writer, colour: false, ["worker-1", "orchestrator"]).From("worker-1", "a line");

        Assert.Equal($"worker-1     | a line{Environment.NewLine}", writer.ToString());
    }

    [Fact]
    public void From_Colour_GivesEachNameItsOwn()
    {
        var writer = new StringWriter();
        var output = new Output(writer, colour: true, ["a", "b"]);
        output.From("a", "x");
        output.From("b", "x");

        Assert.Equal($"\e[36ma       | \e[0mx{Environment.NewLine}\e[33mb       | \e[0mx{Environment.NewLine}", writer.ToString());
    }
}

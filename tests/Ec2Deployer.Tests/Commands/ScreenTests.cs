using System.Text.RegularExpressions;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Commands;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What a terminal is given.</summary>
public sealed partial class ScreenTests : IDisposable
{
    private readonly CountingWriter _out = new() { NewLine = "\n" };

    [Fact]
    public void Redraw_SecondTime_IsOneWriteInTheSamePlaceWithoutClearingTheScreen()
    {
        var screen = Screen(80, 24);

        screen.Redraw(one => one.Line("first\nsecond, which is longer"));
        var first = _out.Take();
        screen.Redraw(one => one.Line("first\nshort"));
        var second = _out.Take();

        Assert.Equal(("\e[2J\e[Hfirst\e[K\nsecond, which is longer\e[K\n\e[J", 1), first);
        Assert.Equal(("\e[Hfirst\e[K\nshort\e[K\n\e[J", 1), second);
    }

    [Fact]
    public void Redraw_MoreThanTheWindowHolds_IsCutAndSaysSo()
    {
        Screen(80, 6).Redraw(one =>
        {
            for (var number = 1; number <= 9; number++) one.Line($"line {number}");
        });

        var lines = Plain(_out.Take().Text).TrimEnd('\n').Split('\n');
        Assert.Equal(["line 1", "line 2", "line 3", "line 4", "… 5 more lines: a higher window shows them"], lines);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(40)]
    public void Table_WiderThanTheWindow_BreaksBetweenValuesAndLosesNone(int width)
    {
        Screen(width, 50).Table(["name", "instance", "type", "zone", "state", "address", "up", "swarm", ""],
            [["orchestrator", "i-00000000000000001", "m7i-flex.large", "us-east-1a", "running", "198.51.100.201", "3h5m", "ready, leader", ""],
             ["host-1", "–", "–", "–", "gone", "–", "–", "–", "! gone"]]);

        var lines = Plain(_out.Take().Text).TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.InRange(line.Length, 1, width));
        Assert.Equal("  orchestrator", lines[0]);
        foreach (var value in (string[])["instance i-00000000000000001", "type m7i-flex.large", "address 198.51.100.201", "swarm ready, leader"])
            Assert.Single(lines, line => line.Contains(value, StringComparison.Ordinal));
        Assert.Equal(["  host-1", "    state gone, ! gone"], lines[^2..]);
    }

    [Fact]
    public void Table_ThatFits_IsATable()
    {
        Screen(80, 50).Table(["name", "state"], [["host-1", "running"]]);

        Assert.Equal("  name    state\n  host-1  running\n", Plain(_out.Take().Text));
    }

    public void Dispose() => _out.Dispose();

    private Screen Screen(int width, int height) => new(new CommandEnvironment
    {
        Out = _out,
        OutIsTerminal = true,
        TerminalSize = () => (width, height),
        Error = TextWriter.Null,
        In = TextReader.Null,
        Ec2 = (_, _, _) => throw new NotSupportedException(),
        Identity = (_, _) => throw new NotSupportedException(),
        ConfiguredRegion = () => null,
        Caller = null!,
        Fleet = () => throw new NotSupportedException(),
        LoadGenerator = () => [],
        Self = [],
        Home = "/nowhere",
        Pace = new Ec2Pace(),
    }, json: false, asks: false);

    private static string Plain(string text) => Sequence().Replace(text, "");

    [GeneratedRegex("\e\\[[0-9;]*[A-Za-z]")]
    private static partial Regex Sequence();

    /// <summary>Counts how often it is written to.</summary>
    private sealed class CountingWriter : StringWriter
    {
        private int _writes;

        public override void Write(string? value)
        {
            _writes++;
            base.Write(value);
        }

        public (string Text, int Writes) Take()
        {
            var taken = (ToString(), _writes);
            GetStringBuilder().Clear();
            _writes = 0;
            return taken;
        }
    }
}

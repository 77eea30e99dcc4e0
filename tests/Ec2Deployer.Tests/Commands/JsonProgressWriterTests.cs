using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Commands;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>How often another program is told, by a clock that stands until it is moved.</summary>
public sealed class JsonProgressWriterTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly CommandProgress _progress;

    public JsonProgressWriterTests() => _progress = Progress(new JsonProgressWriter(_error, _time));

    private IEnumerable<string?> Details => ProgressLines.Events(_error.ToString()).Of("say").Select(one => one.Text("detail"));

    [Fact]
    public void Say_ManyAtOnce_WritesTheFirstAndAfter250MillisecondsTheLast()
    {
        using var step = _progress.Begin("sending images");

        foreach (var detail in (string[])["1", "2", "3"]) step.Say(detail);
        _time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Equal(["1"], Details);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["1", "3"], Details);
        step.Say("4");
        Assert.Equal(["1", "3"], Details);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        Assert.Equal(["1", "3", "4"], Details);
    }

    [Fact]
    public void Say_BetweenTwoTicks_StillKeeps250MillisecondsApart()
    {
        using var step = _progress.Begin("sending images");
        _time.Advance(TimeSpan.FromMilliseconds(200));

        step.Say("1");
        step.Say("2");
        _time.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(["1"], Details);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        Assert.Equal(["1", "2"], Details);
    }

    [Fact]
    public void Say_AfterAPause_IsWrittenAtOnce()
    {
        using var step = _progress.Begin("verifying");
        step.Say("0 of 9 healthy");
        _time.Advance(TimeSpan.FromSeconds(3));

        step.Say("9 of 9 healthy");

        Assert.Equal(["0 of 9 healthy", "9 of 9 healthy"], Details);
    }

    [Fact]
    public void Say_TheSameAgain_IsWrittenOnce()
    {
        using var step = _progress.Begin("verifying");

        for (var second = 0; second < 5; second++)
        {
            step.Say("0 of 9 healthy");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(["0 of 9 healthy"], Details);
    }

    [Fact]
    public void Say_TwoSteps_DoNotHoldEachOtherUp()
    {
        using var first = _progress.Begin("one");
        using var second = _progress.Begin("two");

        first.Say("1");
        second.Say("2");

        Assert.Equal(["1", "2"], Details);
    }

    [Fact]
    public void Done_WhileADetailWaits_WritesItBeforeTheEnd()
    {
        using (var step = _progress.Begin("creating host-1"))
        {
            step.Say("in zone 1");
            step.Say("zone 1 has no capacity, trying zone 2");
            _time.Advance(TimeSpan.FromMilliseconds(100));
            step.Done("i-1");
            step.Say("too late");
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("""
            {"event":"begin","id":1,"title":"creating host-1"}
            {"event":"say","id":1,"detail":"in zone 1"}
            {"event":"say","id":1,"detail":"zone 1 has no capacity, trying zone 2"}
            {"event":"end","id":1,"succeeded":true,"outcome":"i-1","seconds":0.1}

            """, _error.ToString(), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Dispose_WhileADetailWaits_HasItAsItsOutcome()
    {
        using (var step = _progress.Begin("verifying", "host-1"))
        {
            step.Say("0 of 9 healthy");
            step.Say("8 of 9 healthy");
            _time.Advance(TimeSpan.FromSeconds(3.2));
            step.Say("7 of 9 healthy");
            step.Say("6 of 9 healthy");
        }

        using (_progress.Begin("looking"))
        {
            // It fails without a word.
        }

        Assert.Equal("""
            {"event":"begin","id":1,"title":"verifying","host":"host-1"}
            {"event":"say","id":1,"detail":"0 of 9 healthy"}
            {"event":"say","id":1,"detail":"8 of 9 healthy"}
            {"event":"end","id":1,"succeeded":false,"outcome":"6 of 9 healthy","seconds":3.2}
            {"event":"begin","id":2,"title":"looking"}
            {"event":"end","id":2,"succeeded":false,"outcome":"","seconds":0}

            """, _error.ToString(), ignoreLineEndingDifferences: true);
    }

    [Theory]
    [InlineData(4, 5, "4 of 5")]
    [InlineData(500_000, 0, "500 kB")]
    [InlineData(30_700_000, 61_400_000, "30.7 MB of 61.4 MB (50 %)")]
    public void Report_PiecesOrBytes_IsTold(long done, long total, string detail)
    {
        using var step = _progress.Begin("sending images");

        step.Report(done, total);

        Assert.Equal([detail], Details);
    }

    [Fact]
    public void Begin_WriterWithABuffer_IsFlushedAtOnce()
    {
        using var stream = new MemoryStream();
        using var writer = new StreamWriter(stream, bufferSize: 1 << 16);
        using var progress = Progress(new JsonProgressWriter(writer, _time));

        using var step = progress.Begin("verifying");

        Assert.Equal((byte)'\n', stream.ToArray()[^1]);
    }

    [Fact]
    public async Task Begin_FromManyTasks_LinesStayWhole()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(task => Task.Run(() =>
        {
            for (var i = 0; i < 200; i++)
            {
                using var step = _progress.Begin($"step {i} of {task}");
                step.Say("under way");
                _progress.Note("a note");
                step.Done();
            }
        })));

        var events = ProgressLines.Events(_error.ToString());
        Assert.Equal(8 * 200 * 4, events.Count);
        Assert.Equal(8 * 200, events.Of("begin").Select(one => one.GetProperty("id").GetInt32()).Distinct().Count());
    }

    public void Dispose()
    {
        _progress.Dispose();
        _error.Dispose();
    }

    private CommandProgress Progress(IProgressWriter writer) => new(writer, new DeploymentDirectory("/nowhere", "lab"), _time);
}

using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Reporting;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What people see, by a clock that stands until it is moved.</summary>
public sealed class TextProgressWriterTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly StringWriter _error = new() { NewLine = "\n" };

    [Fact]
    public void Begin_NoTerminal_IsALineAtItsEndAndASignOfLifeEvery5Seconds()
    {
        using var progress = Progress(terminal: false);
        using (var step = progress.Begin("sending images", "orchestrator"))
        {
            step.Report(30_700_000, 61_400_000);
            _time.Advance(TimeSpan.FromSeconds(5));
            step.Report(46_000_000, 61_400_000);
            _time.Advance(TimeSpan.FromSeconds(5));
            step.Done("61.4 MB");
        }

        progress.Note("the host key is not checked");
        using (var step = progress.Begin("verifying")) step.Say("4 of 9 healthy");

        Assert.Equal("""
              … orchestrator: sending images  30.7 MB of 61.4 MB (50 %)  (5 s)
              … orchestrator: sending images  46.0 MB of 61.4 MB (74 %)  (10 s)
              ✓ orchestrator: sending images  61.4 MB  (10 s)
              ! the host key is not checked
              ✗ verifying  4 of 9 healthy

            """, _error.ToString(), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Begin_Terminal_MovesOneLineAndWipesItBeforeTheNext()
    {
        using var progress = Progress(terminal: true);
        using var first = progress.Begin("one");
        using var second = progress.Begin("two");
        _time.Advance(TimeSpan.FromMilliseconds(250));
        second.Done();

        Assert.Equal($"\r  … two  and 1 more\r{new string(' ', 19)}\r  ✓ two  done\n", _error.ToString());
    }

    [Fact]
    public void Error_WithItsCause_IsALineOfEach()
    {
        using var writer = new TextProgressWriter(_error, terminal: false, _time);

        writer.Error(ExitCode.HostFailed, "host-3 has no room.", "the cause");

        Assert.Equal("host-3 has no room.\nthe cause\n", _error.ToString());
    }

    public void Dispose() => _error.Dispose();

    private CommandProgress Progress(bool terminal) => new(new TextProgressWriter(_error, terminal, _time), new DeploymentDirectory("/nowhere", "lab"), _time);
}

using Lab.Ec2Deployer.Remote;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Remote;

public sealed class ShellTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("it's $HOME `id` \"quoted\" \\ and\nanother line")]
    [InlineData("")]
    public async Task Quote_AnyText_ReachesTheCommandAsOneWord(string text)
    {
        var run = await ChildProcess.RunAsync("sh", ["-c", $"printf '<%s>' {Shell.Quote(text)}"]);

        Assert.Equal($"<{text}>", run.Output);
    }

    [Fact]
    public void HostFailedException_LongLog_KeepsItsLastFiftyLines()
    {
        var failure = new HostFailedException("host-1", "it failed", "Mend it.", string.Join('\n', Enumerable.Range(1, 80)));

        Assert.Equal(Enumerable.Range(31, 50).Select(line => $"{line}"), failure.Log.Split(Environment.NewLine));
    }
}

using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

public sealed class SshDoorTests : CommandTest
{
    [Fact]
    public async Task Publish_HostDoesNotAnswerAndTheDoorIsElsewhere_NamesBothAddresses()
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Failure = Unanswered();

        var (code, _, error) = await RunAsync(session, "publish --hosts 1 --ssh-from 203.0.113.7 --http-from 203.0.113.7");

        Assert.Equal((int)ExitCode.HostFailed, code);
        Assert.Contains("SSH is open to 203.0.113.7/32, and this machine comes from 192.0.2.1, which is not among them: 'publish --ssh-from 192.0.2.1/32'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_HostDoesNotAnswerThoughTheDoorIsOpen_SaysWhereElseToLook()
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Failure = Unanswered();

        var (_, _, error) = await RunAsync(session, "publish --hosts 1");

        Assert.Contains("SSH is open to 192.0.2.1/32, and this machine comes from 192.0.2.1, so the security group lets it in", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_HostFailsOtherwise_SpeaksOfNoDoor()
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Failure = new DeploymentException(ExitCode.HostFailed, "It failed.", new HostFailedException("host-1", "it failed", "Mend it."));

        var (_, _, error) = await RunAsync(session, "publish --hosts 1");

        Assert.DoesNotContain("SSH is open", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("198.51.100.9", "so the security group lets it in")]
    [InlineData("198.51.101.9", "which is not among them: 'publish' opens it to this machine")]
    public void Explain_Blocks_AreCompared(string caller, string words) =>
        Assert.Contains(words, SshDoor.Explain(caller, ["203.0.113.7/32", "198.51.100.0/24"], asked: null), StringComparison.Ordinal);

    private static DeploymentException Unanswered() => new(ExitCode.HostFailed, "host-1: 203.0.113.9:22 does not answer at all.",
        new HostFailedException("host-1", "203.0.113.9:22 does not answer at all", "Look.") { IsUnanswered = true });
}

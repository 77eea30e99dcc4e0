using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Fleet;

public sealed class RolloutFailureTests
{
    private static readonly Release Old = new("old", []);
    private static readonly Release New = new("new", []);

    [Fact]
    public void Told_FirstRelease_SaysThatNothingServedBefore()
    {
        var failure = FleetFailure.Told(new RolloutException("worker-a", "it ended", "a line"), New, old: null, "publish");
        Assert.Equal(ExitCode.HostFailed, failure.Code);
        Assert.Contains("The first publish failed: worker-a does not run: it ended. Nothing served before", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("    a line", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Told_TakenBack_SaysThatTheOldServes() => Assert.Contains("Version old serves again in all services",
        FleetFailure.Told(new RolloutException("worker-a", "it ended", "") { IsTakenBack = true }, New, Old, "publish").Message, StringComparison.Ordinal);

    [Fact]
    public void Told_NotTakenBack_DoesNotPromiseThatTheOldServes()
    {
        var message = FleetFailure.Told(new RolloutException("worker-b", "no host has room", ""), New, Old, "publish").Message;
        Assert.Contains("version old is not back in all of it: worker-b does not run: no host has room", message, StringComparison.Ordinal);
        Assert.DoesNotContain("serves again", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Told_HostThatFailedOnTheWayBack_SaysThatAndWhatFailedFirst()
    {
        var failure = new RolloutException(new HostFailedException("host-1", "the connection was lost", "Look at it.")) { Because = new HostFailedException("host-2", "a container is gone", "") };
        Assert.Equal("Version new is not in service: host-2: a container is gone. Version old is not back in all of it: host-1: the connection was lost. 'status' shows what runs. Look at it.",
            FleetFailure.Told(failure, New, Old, "publish").Message);
    }

    [Fact]
    public void Told_NotTakenBack_SaysWhatFailedFirst()
    {
        var failure = new RolloutException("worker-b", "no host has room", "") { Because = new RolloutException("orchestrator", "it ended", "") };
        Assert.StartsWith("Version new is not in service: orchestrator does not run: it ended. Version old is not back in all of it: worker-b does not run: no host has room. ",
            FleetFailure.Told(failure, New, Old, "publish").Message, StringComparison.Ordinal);
    }
}

using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>What the user is told of a failure: what failed, what serves now, what to do, and the last lines of the log.</summary>
internal static class FleetFailure
{
    /// <summary>A host failed.</summary>
    public static DeploymentException Told(HostFailedException e, FleetSession session) => new(ExitCode.HostFailed,
        WithLog($"{e.Host}: {e.What}. {session.LeftRunning} {e.Remedy}", e.Log), e);

    /// <summary>A rollout failed: told by what serves now.</summary>
    public static DeploymentException Told(RolloutException e, Release target, Release? old, string action)
    {
        var (failure, again) = (e.Message, e.Remedy);
        return new(ExitCode.HostFailed, WithLog(
            old is null ? $"The first {action} failed: {failure}. Nothing served before; what has started runs on. {again}"
            : e.IsTakenBack ? $"Version {target.Version} was taken back: {failure}. Version {old.Version} serves again in all services, and served throughout. {again}"
            : $"Version {target.Version} is not in service{(e.Because is { } because ? $": {because.Message.TrimEnd('.')}. V" : ", and v")}ersion {old.Version} is not back in all of it: {failure}. 'status' shows what runs. {again}",
            e.Log), e);
    }

    private static string WithLog(string paragraph, string log) => log.Trim().Length == 0
        ? paragraph
        : $"{paragraph}{Environment.NewLine}{string.Join(Environment.NewLine, log.Split('\n').Where(line => line.Trim().Length > 0).TakeLast(HostFailedException.MaxLogLines).Select(line => $"    {line.TrimEnd()}"))}";
}

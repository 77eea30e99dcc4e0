namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// What one instance costs and has cost, by what EC2 shows of it and the table of prices; null where that does not know it.
/// </summary>
internal static class HostCost
{
    /// <summary>US dollars per hour as it is now: a stopped one costs its disks and its Elastic IP address alone.</summary>
    public static decimal? HourlyUsd(DeploymentOptions options, ObservedInstance instance) => RunningCost.Of(options, [instance], []).HourlyUsd;

    /// <summary>US dollars since its first start.</summary>
    public static decimal? SpentUsd(DeploymentOptions options, ObservedInstance instance, DateTimeOffset now)
    {
        var exists = now - (instance.FirstStartedAt ?? instance.LaunchedAt);
        // Its disks, and an Elastic IP address.
        var stopped = RunningCost.Of(options, [instance with { State = "stopped" }], []).HourlyUsd;
        // What it cost when it ran, whether or not it does.
        var running = RunningCost.Of(options, [instance with { State = instance.State is "running" ? "running" : "pending" }], []).HourlyUsd;
        return stopped * (decimal)exists.TotalHours + (running - stopped) * (decimal)RunTime.Of(instance, now).TotalHours;
    }

    /// <summary>Its disks; where EC2 shows none (those of a new instance come late), the one that is asked for at a launch.</summary>
    public static IEnumerable<DiskKind> Disks(DeploymentOptions options, ObservedInstance instance) =>
        instance.Disks.Count > 0 ? instance.Disks.Select(disk => disk.Kind) : [new DiskKind(options.DiskGiB)];
}

namespace Lab.Ec2Deployer.Planning;

/// <summary>What one instance costs and has cost, by the table of prices; null where that does not know it.</summary>
internal static class HostCost
{
    /// <summary>US dollars per hour as it is now: a stopped one costs its disk alone.</summary>
    public static decimal? HourlyUsd(DeploymentOptions options, ObservedInstance instance) =>
        instance.State is "running" or "pending" ? Running(options, instance) : Disk(options, instance);

    /// <summary>US dollars since its first start.</summary>
    public static decimal? SpentUsd(DeploymentOptions options, ObservedInstance instance, DateTimeOffset now)
    {
        var exists = now - (instance.FirstStartedAt ?? instance.LaunchedAt);
        return Disk(options, instance) * (decimal)exists.TotalHours
            + (Running(options, instance) - Disk(options, instance)) * (decimal)RunTime.Of(instance, now).TotalHours;
    }

    private static decimal? Running(DeploymentOptions options, ObservedInstance instance) =>
        Of(options, instance, instance.PublicAddress is not null || (instance.State != "running" && options.PublicAddresses)).HourlyUsd;

    private static decimal? Disk(DeploymentOptions options, ObservedInstance instance)
    {
        var cost = Of(options, instance, publicAddress: false);
        return (cost with { Lines = [.. cost.Lines.Where(line => line.What != instance.InstanceType)] }).HourlyUsd;
    }

    private static Cost Of(DeploymentOptions options, ObservedInstance instance, bool publicAddress) =>
        PriceTable.Bundled.Of(options.Region, [instance.InstanceType], options.DiskGiB, publicAddress);
}

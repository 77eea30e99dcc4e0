namespace Lab.Ec2Deployer.Planning;

/// <summary>What instances that run cost at present.</summary>
internal static class RunningCost
{
    /// <summary>US dollars an hour for those that are starting or run, with their disks and addresses; null where a price is unknown.</summary>
    /// <param name="options">Region and disk.</param>
    /// <param name="instances">The deployment's instances.</param>
    public static decimal? HourlyUsd(DeploymentOptions options, IEnumerable<ObservedInstance> instances)
    {
        var prices = instances.Where(IsRunning)
            .Select(instance => PriceTable.Bundled.Of(options.Region, [instance.InstanceType], options.DiskGiB, instance.PublicAddress is not null || (options.PublicAddresses && instance.State == "pending")).HourlyUsd)
            .ToList();
        return prices.Contains(null) ? null : prices.Sum();
    }

    /// <summary>Whether an instance costs as one that runs does.</summary>
    public static bool IsRunning(ObservedInstance instance) => instance.State is "pending" or "running";
}

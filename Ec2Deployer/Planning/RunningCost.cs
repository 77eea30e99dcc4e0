namespace Lab.Ec2Deployer.Planning;

/// <summary>What a deployment costs at present, by what EC2 shows of it. Whatever tells a price of what exists takes it from here.</summary>
internal static class RunningCost
{
    /// <summary>What everything that EC2 shows costs: hosts that run, disks and Elastic IP addresses of those that do not, and those of no host.</summary>
    /// <param name="options">Region; what is asked for at launches.</param>
    /// <param name="observed">The deployment.</param>
    public static Cost Of(DeploymentOptions options, ObservedDeployment observed) => Of(options, observed.Instances, observed.LooseDisks, looseAddresses: observed.LooseAddresses.Count);

    /// <summary>What instances with their disks and addresses, and other disks, cost.</summary>
    /// <param name="options">Region; what is asked for at launches.</param>
    /// <param name="instances">The instances; of those that do not run, only disks and Elastic IP addresses cost.</param>
    /// <param name="looseDisks">Disks of none of them.</param>
    /// <param name="launches">How many more are about to be started as the options say.</param>
    /// <param name="diskGiB">The disk of each of these.</param>
    /// <param name="looseAddresses">How many addresses none of them has.</param>
    /// <param name="spotLaunches">How many of these are asked for on spot.</param>
    public static Cost Of(
        DeploymentOptions options, IReadOnlyCollection<ObservedInstance> instances, IEnumerable<ObservedDisk> looseDisks, int launches = 0, int diskGiB = 0, int looseAddresses = 0, int spotLaunches = 0)
    {
        var running = instances.Where(IsRunning).ToList();
        var cost = PriceTable.Bundled.Of(
            options.Region,
            running.Where(instance => !instance.IsSpot).Select(instance => instance.InstanceType).Concat(Enumerable.Repeat(options.InstanceType, launches - spotLaunches)),
            instances.SelectMany(instance => HostCost.Disks(options, instance)).Concat(looseDisks.Select(disk => disk.Kind)).Concat(Enumerable.Repeat(new DiskKind(diskGiB), launches)),
            instances.Count(instance => instance.ElasticAddress is not null || (IsRunning(instance) && HasAddress(options, instance)))
                + (options.PublicAddresses ? launches : 0) + looseAddresses);
        return SpotCost.With(cost, options.Region, running.Where(instance => instance.IsSpot).Select(instance => (instance.InstanceType, instance.SpotPrice)), spotLaunches, options);
    }

    /// <summary>Whether an instance costs as one that runs does.</summary>
    public static bool IsRunning(ObservedInstance instance) => instance.State is "pending" or "running";

    // One that is starting is given its address in a moment.
    private static bool HasAddress(DeploymentOptions options, ObservedInstance instance) =>
        instance.PublicAddress is not null || (options.PublicAddresses && instance.State == "pending");
}

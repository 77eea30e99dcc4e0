using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Planning;

/// <summary>The one architecture that all hosts of a deployment have: a version has one image of each service.</summary>
internal static class FleetArchitecture
{
    /// <summary>The architecture of the hosts that there are to be.</summary>
    /// <param name="options">The type of new hosts.</param>
    /// <param name="observed">What EC2 says.</param>
    /// <param name="hosts">All hosts of the plan.</param>
    /// <exception cref="DeploymentException">They would have two.</exception>
    public static HostArchitecture Of(DeploymentOptions options, ObservedDeployment observed, IReadOnlyList<PlannedHost> hosts)
    {
        var launched = LaunchedOf(options, observed);
        var all = hosts.Select(host => (host.Name, IsNew: host.InstanceId is null, Ec2: host.InstanceId is null ? launched.Ec2 : EarlierOf(observed, host))).ToList();
        // A plan for whoever has not asked EC2 for the type yet; it is made again when EC2 has answered.
        var isPreliminary = observed is { Known: true, Launch: null } && all.Exists(host => host.IsNew);
        var kinds = all.GroupBy(host => host.Ec2).ToList();
        if (kinds.Count < 2 || isPreliminary) return HostArchitecture.Find(all.OrderBy(host => host.IsNew).First().Ec2) ?? launched;
        var old = all.Where(host => !host.IsNew).ToList();
        throw new DeploymentException(ExitCode.Usage,
            $"Hosts of '{options.Name}' would have different processors: {string.Join("; ", kinds.Select(kind => $"{kind.Key} {string.Join(", ", kind.Select(host => host.Name))}"))}. One image of each service serves all hosts. Nothing was changed. "
            + $"Take an --instance-type of {old[0].Ec2} ({HostArchitecture.Find(old[0].Ec2)?.Examples}), or put others in the places of all, with which goes what only they hold: {string.Join(' ', old.Select(host => $"--replace {host.Name}"))}.");
    }

    /// <summary>The architecture of new hosts: what EC2 said of their type, else what its name says.</summary>
    /// <param name="options">The type.</param>
    /// <param name="observed">What EC2 says.</param>
    public static HostArchitecture LaunchedOf(DeploymentOptions options, ObservedDeployment observed) =>
        observed.Launch?.Type?.Architecture ?? HostArchitecture.OfType(options.InstanceType);

    private static string EarlierOf(ObservedDeployment observed, PlannedHost host) =>
        observed.Instances.FirstOrDefault(instance => instance.Id == host.InstanceId)?.Architecture ?? HostArchitecture.OfType(host.InstanceType).Ec2;
}

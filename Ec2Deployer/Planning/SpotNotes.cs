namespace Lab.Ec2Deployer.Planning;

/// <summary>What the user should know of a plan with spot instances, one sentence each. Pure.</summary>
internal static class SpotNotes
{
    /// <summary>The sentences; none where no spot instance is asked for or exists.</summary>
    /// <param name="options">What the user asked for.</param>
    /// <param name="observed">What EC2 shows.</param>
    /// <param name="asked">Names of the hosts that are asked for on spot.</param>
    public static IEnumerable<string> Of(DeploymentOptions options, ObservedDeployment observed, IReadOnlyList<string> asked)
    {
        if (asked.Count > 0)
        {
            var most = options.SpotPrice is { } price ? $", for {SpotLaunch.Text(price)} US dollars an hour each at most" : "";
            yield return $"{string.Join(", ", asked)}: asked for on spot{most}. EC2 may take spot instances back: with two minutes' notice, in which their workers finish what they compute. Where it has none, hosts are started on demand, as the price told here allows for.";
        }

        if (options.Spot && options.Hosts <= FleetShape.ManagingWorkerHosts)
            yield return $"--spot changes nothing with --hosts {options.Hosts}: host-1 and host-2 stay on demand, for they are managers of the Swarm or become so. From host-3 on it counts.";
        foreach (var instance in observed.Instances.Where(instance => instance.IsTakenBack))
            yield return $"{instance.Host}: EC2 takes this spot instance back within two minutes, and another is put in its place now.";
    }
}

using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>ttl</c>: sets, puts off or takes off the end of hosts that exist, on the hosts first and then in their tags, which thus never promise what is not so.</summary>
/// <param name="deployment">The deployment at EC2.</param>
/// <param name="fleet">What is done on hosts.</param>
internal sealed class TtlOperation(Ec2Deployment deployment, IFleetDeployer fleet)
{
    /// <summary>Sets the end.</summary>
    /// <param name="options">The deployment.</param>
    /// <param name="release">How the hosts are reached.</param>
    /// <param name="found">What there is.</param>
    /// <param name="instances">The hosts whose end is set.</param>
    /// <param name="end">The moment, or null for never.</param>
    /// <param name="life">The duration that was asked for, where it was one.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <returns>Why it could not be set, by host.</returns>
    public async Task<IReadOnlyDictionary<string, string>> RunAsync(
        DeploymentOptions options, ReleaseOptions release, DeploymentSnapshot found, IReadOnlyList<ObservedInstance> instances, DateTimeOffset? end, TimeSpan? life,
        IProgressSink progress, CancellationToken cancellationToken)
    {
        using var step = progress.Begin("setting the end");
        var stopped = instances.Where(instance => instance.State == "stopped").ToList();
        var reached = found.Hosts.Where(host => instances.Any(instance => instance.Id == host.InstanceId)).ToList();
        var problems = new Dictionary<string, string>(await fleet.SetEndAsync(reached, release, end, cancellationToken), StringComparer.Ordinal);
        foreach (var instance in instances.Except(stopped).Where(instance => reached.TrueForAll(host => host.InstanceId != instance.Id)))
            problems[instance.Host] = instance.State == "running" ? "its host key is not known here: 'publish' reads it" : $"it is {instance.State}";
        foreach (var instance in stopped) await deployment.Life.SetAtBootAsync(options, instance, end, cancellationToken);

        var done = instances.Where(instance => !problems.ContainsKey(instance.Host)).ToList();
        await deployment.Life.TagAsync(options, done, end, life, cancellationToken);
        foreach (var instance in done) progress.Audit("ttl", $"{instance.Host} {instance.Id} {(end is { } moment ? HostEnd.Tag(moment) : "never")}");
        if (problems.Count == 0) step.Done($"{done.Count} hosts");
        else step.Say($"{done.Count} of {instances.Count} hosts");
        return problems;
    }
}

using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Asks every region of an account which deployments are there, all regions at once.</summary>
/// <param name="connect">Makes a client for a region, or null where there are no credentials.</param>
/// <param name="pace">How often EC2 is asked; one region that is not reached must not hold up the others for long.</param>
/// <param name="time">The clock.</param>
internal sealed class AccountSurvey(Func<string, CancellationToken, Task<IAmazonEC2?>> connect, Ec2Pace pace, TimeProvider time)
{
    private const string Ending = "shutting-down";
    private static readonly string[] Listed = ["pending", "running", "stopping", "stopped", Ending];
    private readonly Ec2Pace _pace = pace with { Faults = pace.Faults < TimeSpan.FromSeconds(10) ? pace.Faults : TimeSpan.FromSeconds(10) };

    /// <summary>The regions that are enabled for the account.</summary>
    /// <param name="home">A region to ask.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="DeploymentException">EC2 refused, or there are no credentials.</exception>
    public async Task<IReadOnlyList<string>> RegionsAsync(string home, CancellationToken cancellationToken)
    {
        try
        {
            // Without AllRegions those that are not enabled are left out.
            var answer = await AskAsync(home, calls => calls.CallAsync((ec2, cancellationToken) => ec2.DescribeRegionsAsync(new DescribeRegionsRequest(), cancellationToken), cancellationToken), cancellationToken);
            return [.. (answer.Regions ?? []).Select(region => region.RegionName).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "asking EC2 which regions there are (--region asks one alone)", new DeploymentOptions { Region = home }, left: null);
        }
    }

    /// <summary>What is in each region.</summary>
    /// <param name="regions">The regions.</param>
    /// <param name="answered">Told after each answer how many there were.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    public async Task<IReadOnlyList<RegionSurvey>> AskAsync(IReadOnlyList<string> regions, Action<int> answered, CancellationToken cancellationToken)
    {
        var done = 0;
        return await Task.WhenAll(regions.Select(async region =>
        {
            try
            {
                return new RegionSurvey(region, await DeploymentsAsync(region, cancellationToken), null);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                return new RegionSurvey(region, [], e is AmazonEC2Exception { ErrorCode: { Length: > 0 } code } ? code : e.Message.ReplaceLineEndings(" ").TrimEnd('.'));
            }
            finally
            {
                answered(Interlocked.Increment(ref done));
            }
        }));
    }

    private async Task<IReadOnlyList<ListedDeployment>> DeploymentsAsync(string region, CancellationToken cancellationToken)
    {
        var (instances, volumes, addresses) = await AskAsync(region, async calls => (
            await Ec2Calls.AllAsync<Instance>(async (token, cancellationToken) =>
            {
                var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeInstancesAsync(
                    new DescribeInstancesRequest { Filters = [new("tag-key", [LabTags.Deployment]), new("instance-state-name", [.. Listed])], MaxResults = 100, NextToken = token }, cancellationToken), cancellationToken);
                return (page.Reservations?.SelectMany(reservation => reservation.Instances ?? []), page.NextToken);
            }, cancellationToken),
            await Ec2Calls.AllAsync<Volume>(async (token, cancellationToken) =>
            {
                var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeVolumesAsync(
                    new DescribeVolumesRequest { Filters = [new("tag-key", [LabTags.Deployment])], MaxResults = 100, NextToken = token }, cancellationToken), cancellationToken);
                return (page.Volumes, page.NextToken);
            }, cancellationToken),
            // Whoever may not ask for addresses has made none either.
            (await Ec2Calls.WhereAllowedAsync(Ec2Addresses.ListAsync(calls, new("tag-key", [LabTags.Deployment]), cancellationToken))).Items.ConvertAll(Ec2Addresses.Observed)), cancellationToken);

        // Two people may call theirs the same.
        var hosts = Ec2Addresses.With(instances.Select(instance => Ec2Observer.Observed(instance, volumes)), addresses).ToLookup(instance => (Name: instance.Tags[LabTags.Deployment], Owner: instance.Tags.GetValueOrDefault(LabTags.Owner)));
        var disks = volumes.ToLookup(volume => (Name: volume.Tags.First(tag => tag.Key == LabTags.Deployment).Value, Owner: volume.Tags.Find(tag => tag.Key == LabTags.Owner)?.Value));
        var loose = addresses.Where(address => instances.TrueForAll(instance => instance.InstanceId != address.InstanceId)).ToLookup(address => (Name: address.Tags[LabTags.Deployment], Owner: address.Tags.GetValueOrDefault(LabTags.Owner)));
        return [.. hosts.Select(group => group.Key).Concat(disks.Select(group => group.Key)).Concat(loose.Select(group => group.Key)).Distinct().OrderBy(one => one.Name, StringComparer.Ordinal).ThenBy(one => one.Owner, StringComparer.Ordinal)
            .Select(one => new ListedDeployment(one.Name, one.Owner, region, [.. hosts[one].Where(host => host.State != Ending)], Ec2Observer.Loose(disks[one], hosts[one])) { LooseAddresses = loose[one].Count() })
            .Where(one => one.Hosts.Count + one.LooseDisks.Count + one.LooseAddresses > 0)];
    }

    private async Task<T> AskAsync<T>(string region, Func<Ec2Calls, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var ec2 = await connect(region, cancellationToken) ?? throw new AmazonEC2Exception("No AWS credentials were found.") { ErrorCode = "MissingAuthenticationToken" };
        return await ask(new Ec2Calls(ec2, _pace, time));
    }
}

/// <summary>What a region says.</summary>
/// <param name="Region">The region.</param>
/// <param name="Deployments">What is there.</param>
/// <param name="Refusal">Why it does not say, or null: EC2's code, or a few words.</param>
internal sealed record RegionSurvey(string Region, IReadOnlyList<ListedDeployment> Deployments, string? Refusal);

/// <summary>A deployment as its tags tell.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Owner">Whose it is, or null where that was not recorded.</param>
/// <param name="Region">Where it is.</param>
/// <param name="Hosts">Its instances, stopped ones included.</param>
/// <param name="LooseDisks">Its disks of no host.</param>
internal sealed record ListedDeployment(string Name, string? Owner, string Region, IReadOnlyList<ObservedInstance> Hosts, IReadOnlyList<ObservedDisk> LooseDisks)
{
    /// <summary>How many Elastic IP addresses of it no host has.</summary>
    public int LooseAddresses { get; init; }

    /// <summary>How many hosts run, or are about to.</summary>
    public int Running => Hosts.Count(RunningCost.IsRunning);

    /// <summary>How many hosts are stopped.</summary>
    public int Stopped => Hosts.Count - Running;

    /// <summary>When the first of its hosts was last started, or null where there is none.</summary>
    public DateTimeOffset? Since => Hosts.Count == 0 ? null : Hosts.Min(host => host.LaunchedAt);

    /// <summary>What it costs as it stands.</summary>
    public Cost Cost => RunningCost.Of(new DeploymentOptions { Region = Region }, Hosts, LooseDisks, looseAddresses: LooseAddresses);
}

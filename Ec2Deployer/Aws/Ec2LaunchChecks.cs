using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Asks EC2, before anything is started, whether hosts can be started and reach what they need. Changes nothing.</summary>
internal sealed class Ec2LaunchChecks(Ec2Calls calls)
{
    /// <summary>The zones in which hosts can work, and what the user should know.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="observed">What exists, with the subnets that new hosts may stand in.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="DeploymentException">Images cannot be built for the type's processors, the machine image is for others, or no subnet has a way out.</exception>
    public async Task<ObservedDeployment> CheckAsync(DeploymentOptions options, ObservedDeployment observed, CancellationToken cancellationToken)
    {
        var refused = new List<string>();
        try
        {
            var type = await AllowedAsync("DescribeInstanceTypes", () => TypeAsync(options, cancellationToken), refused);
            var running = await AllowedAsync("DescribeInstances", () => RunningVcpusAsync(cancellationToken), refused);
            var tables = await AllowedAsync("DescribeRouteTables", () => RouteTablesAsync(observed.VpcId!, cancellationToken), refused);
            var launch = new LaunchFacts { Type = type, RunningVcpus = running?.Sum(), Refused = refused };
            var image = await ImageAsync(options, observed with { Launch = launch }, cancellationToken);
            var (zones, avoided) = observed.Candidates.Count > 0 ? OfVpc(options, observed, tables)
                : tables is null ? (observed.Zones, []) : WithAWayOut(options, observed.Zones, tables);
            return observed with { Zones = zones, Image = image, Launch = launch with { Avoided = avoided } };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw Ec2Errors.Explain(e, "asking EC2 whether hosts can be started", options, NothingStarted);
        }
    }

    /// <summary>Asks with <c>DryRun</c> whether the account may do what the plan has to.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="DeploymentException">It may not, or EC2 says already now that it would refuse.</exception>
    public async Task RequirePermissionsAsync(DeploymentPlan plan, CancellationToken cancellationToken)
    {
        var requests = plan.Actions.Select(action => DryRuns.Of(action.Request(plan.Ids))).OfType<AmazonEC2Request>().DistinctBy(request => request.GetType());
        foreach (var request in requests)
        {
            try
            {
                await calls.CallAsync(async (ec2, cancellationToken) =>
                {
                    await DryRuns.SendAsync(ec2, request, cancellationToken);
                    return true;
                }, cancellationToken);
            }
            catch (AmazonEC2Exception e) when (!Ec2Errors.IsFinal(e.ErrorCode))
            {
                // DryRunOperation says yes. What names something that is not there yet, or a full zone, says no more than that.
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                throw Ec2Errors.Explain(e, $"asking EC2 whether ec2:{RequestText.ActionOf(request)} is allowed", plan.Options, NothingStarted);
            }
        }
    }

    private const string NothingStarted = "Nothing was started.";

    private static async Task<T?> AllowedAsync<T>(string action, Func<Task<T>> ask, List<string> refused) where T : class
    {
        try
        {
            return await ask();
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode is "UnauthorizedOperation" or "AccessDenied")
        {
            refused.Add(action);
            return null;
        }
    }

    private async Task<TypeFacts> TypeAsync(DeploymentOptions options, CancellationToken cancellationToken)
    {
        var answer = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeInstanceTypesAsync(
            new DescribeInstanceTypesRequest { InstanceTypes = [options.InstanceType] }, cancellationToken), cancellationToken);
        var type = answer.InstanceTypes?.FirstOrDefault() ?? throw new DeploymentException(ExitCode.AwsRefused,
            $"Asking for the instance type failed: EC2 tells nothing of {options.InstanceType} in {options.Region}. {NothingStarted} Take another --instance-type.");
        var processors = type.ProcessorInfo?.SupportedArchitectures ?? [];
        var architecture = processors.Select(HostArchitecture.Find).FirstOrDefault(one => one is not null) ?? throw new DeploymentException(ExitCode.Usage,
            $"--instance-type {options.InstanceType} has processors of {string.Join(", ", processors)}; the images are for {HostArchitecture.X64} or {HostArchitecture.Arm64}. {NothingStarted} Take {DeploymentOptions.DefaultInstanceType}, say.");
        return new TypeFacts(options.InstanceType, type.VCpuInfo?.DefaultVCpus ?? 0, type.FreeTierEligible == true) { Architecture = architecture };
    }

    /// <summary>The image for the type's processors: what was found by the type's name, unless EC2 said otherwise of it.</summary>
    private async Task<MachineImage?> ImageAsync(DeploymentOptions options, ObservedDeployment observed, CancellationToken cancellationToken)
    {
        var architecture = FleetArchitecture.LaunchedOf(options, observed);
        if (observed.Image?.Architecture is not { } found || found == architecture.Ec2) return observed.Image;
        if (options.ImageId is null) return await new Ec2Images(calls).FindAsync(options, architecture, observed.Instances, cancellationToken);
        throw new DeploymentException(ExitCode.Usage,
            $"--image {options.ImageId} is for {found} processors, and {options.InstanceType} has {architecture.Ec2}. {NothingStarted} Give an --image for {architecture.Ec2} ('--image \"\"' takes the newest that fits), or an --instance-type of {found} ({HostArchitecture.Find(found)?.Examples}).");
    }

    private Task<List<int>> RunningVcpusAsync(CancellationToken cancellationToken) => Ec2Calls.AllAsync<int>(async (token, cancellationToken) =>
    {
        var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeInstancesAsync(
            new DescribeInstancesRequest { Filters = [new Filter("instance-state-name", ["pending", "running"])], MaxResults = 500, NextToken = token }, cancellationToken), cancellationToken);
        return (page.Reservations?.SelectMany(reservation => reservation.Instances ?? [])
            // Spot instances have a quota of their own.
            .Where(instance => instance.InstanceLifecycle is null && LaunchFacts.IsStandard(instance.InstanceType.Value))
            .Select(instance => (instance.CpuOptions?.CoreCount ?? 0) * (instance.CpuOptions?.ThreadsPerCore ?? 1)), page.NextToken);
    }, cancellationToken);

    private Task<List<RouteTable>> RouteTablesAsync(string vpc, CancellationToken cancellationToken) => Ec2Calls.AllAsync<RouteTable>(async (token, cancellationToken) =>
    {
        var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeRouteTablesAsync(
            new DescribeRouteTablesRequest { Filters = [new Filter("vpc-id", [vpc])], NextToken = token }, cancellationToken), cancellationToken);
        return (page.RouteTables, page.NextToken);
    }, cancellationToken);

    /// <summary>Of all subnets of a VPC the first of each zone that leads to the internet.</summary>
    private static (IReadOnlyList<ZoneSubnet> Zones, IReadOnlyList<string> Avoided) OfVpc(DeploymentOptions options, ObservedDeployment observed, List<RouteTable>? tables)
    {
        if (tables is null)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"Looking for subnets of {options.Vpc} failed: which of them lead to the internet, ec2:DescribeRouteTables tells, which the account does not allow. {NothingStarted} Have it allowed ('iam' prints the policy to ask for), or name the subnets with --subnet.");
        }

        var all = observed.Candidates.Select(subnet => (Subnet: subnet, Why: SubnetRoutes.Obstacle(subnet.SubnetId, tables, options.UsePrivateAddress))).ToList();
        var open = all.Where(one => one.Why is null).Select(one => one.Subnet).DistinctBy(subnet => subnet.Zone).ToList();
        if (open.Count > 0)
        {
            return (open, [.. all.Where(one => open.TrueForAll(subnet => subnet.Zone != one.Subnet.Zone)).DistinctBy(one => one.Subnet.Zone)
                .Select(one => $"No host is put into {one.Subnet.Zone}: no subnet of {options.Vpc} there has a way out (of {one.Subnet.SubnetId}, {one.Why}).")]);
        }

        throw new DeploymentException(ExitCode.Usage,
            $"No host in {options.Vpc} can fetch its packages: {string.Join("; ", all.Select(one => $"of {one.Subnet.SubnetId} ({one.Subnet.Zone}) {one.Why}"))}. {NothingStarted} "
            + (options.UsePrivateAddress
                ? "Lead 0.0.0.0/0 of a subnet to a NAT gateway or a transit gateway, or leave --private-address."
                : "Lead 0.0.0.0/0 of a subnet to an internet gateway, or take --private-address yes where there is a NAT gateway."));
    }

    private static (IReadOnlyList<ZoneSubnet> Zones, IReadOnlyList<string> Avoided) WithAWayOut(DeploymentOptions options, IReadOnlyList<ZoneSubnet> zones, List<RouteTable> tables)
    {
        var closed = zones.Select(zone => (Zone: zone, Why: SubnetRoutes.Obstacle(zone.SubnetId, tables, options.UsePrivateAddress))).Where(zone => zone.Why is not null).ToList();
        if (closed.Count == 0) return (zones, []);
        // Those that the user names are all meant.
        if (options.Subnets.Count > 0 || closed.Count == zones.Count)
        {
            throw new DeploymentException(ExitCode.Usage,
                $"No host in {string.Join(", ", closed.Select(zone => zone.Zone.SubnetId))} can fetch its packages: {closed[0].Why}. {NothingStarted} "
                + (options.UsePrivateAddress
                    ? "Give subnets whose route table leads 0.0.0.0/0 to a NAT gateway: --subnet subnet-…, or leave --private-address."
                    : "Give subnets whose route table leads 0.0.0.0/0 to an internet gateway: --subnet subnet-…, or take --private-address yes where there is a NAT gateway."));
        }

        return ([.. zones.Except(closed.Select(zone => zone.Zone))], [.. closed.Select(zone => $"No host is put into {zone.Zone.SubnetId} ({zone.Zone.Zone}): {zone.Why}.")]);
    }
}

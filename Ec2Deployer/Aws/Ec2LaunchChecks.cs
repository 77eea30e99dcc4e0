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
    /// <exception cref="DeploymentException">The type has the wrong processor, or no subnet has a way out.</exception>
    public async Task<ObservedDeployment> CheckAsync(DeploymentOptions options, ObservedDeployment observed, CancellationToken cancellationToken)
    {
        var refused = new List<string>();
        try
        {
            var type = await AllowedAsync("DescribeInstanceTypes", () => TypeAsync(options, cancellationToken), refused);
            var running = await AllowedAsync("DescribeInstances", () => RunningVcpusAsync(cancellationToken), refused);
            var tables = await AllowedAsync("DescribeRouteTables", () => RouteTablesAsync(observed.VpcId!, cancellationToken), refused);
            var (zones, avoided) = tables is null ? (observed.Zones, []) : WithAWayOut(options, observed.Zones, tables);
            return observed with
            {
                Zones = zones,
                Launch = new LaunchFacts { Type = type, RunningVcpus = running?.Sum(), Refused = refused, Avoided = avoided },
            };
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
        if (!processors.Contains("x86_64"))
        {
            throw new DeploymentException(ExitCode.Usage,
                $"--instance-type {options.InstanceType} has processors of {string.Join(", ", processors)}; the images are for x86-64. {NothingStarted} Take {DeploymentOptions.DefaultInstanceType}, say.");
        }

        return new TypeFacts(options.InstanceType, type.VCpuInfo?.DefaultVCpus ?? 0, type.FreeTierEligible == true);
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

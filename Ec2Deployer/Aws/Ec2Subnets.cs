using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Finds the subnets in which new hosts may stand. Changes nothing.</summary>
internal sealed class Ec2Subnets(Ec2Calls calls)
{
    /// <summary>The given subnets, or all of the given VPC, or the default VPC's default ones: of one VPC, and never none.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="DeploymentException">There are none, or they are not of one VPC.</exception>
    public async Task<List<Subnet>> FindAsync(DeploymentOptions options, CancellationToken cancellationToken)
    {
        if (options.Subnets.Count > 0)
        {
            var answer = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeSubnetsAsync(new DescribeSubnetsRequest { SubnetIds = [.. options.Subnets] }, cancellationToken), cancellationToken);
            var given = answer.Subnets ?? [];
            if (options.Vpc is { } named && given.Find(subnet => subnet.VpcId != named) is { } outside)
                throw new DeploymentException(ExitCode.Usage, $"--subnet: {outside.SubnetId} is in {outside.VpcId}, not in --vpc {named}. Nothing was changed.");
            if (given.Select(subnet => subnet.VpcId).Distinct().Count() == 1) return given;
            throw new DeploymentException(ExitCode.Usage,
                $"--subnet: {string.Join(", ", given.Select(subnet => $"{subnet.SubnetId} is in {subnet.VpcId}"))}; hosts of one deployment stand in one VPC. Nothing was changed.");
        }

        if (options.Vpc is { } asked)
        {
            var all = await AllAsync([new Filter("vpc-id", [asked])], cancellationToken);
            // Hosts have IPv4 addresses, and stand in zones of AWS's own.
            return all.Where(subnet => subnet.Ipv6Native != true && string.IsNullOrEmpty(subnet.OutpostArn)).OrderBy(subnet => subnet.SubnetId, StringComparer.Ordinal).ToList() is { Count: > 0 } usable
                ? usable
                : throw new DeploymentException(ExitCode.AwsRefused,
                    $"Looking for a network failed: {options.Region} has no {asked} in this account, or no subnet is in it. Nothing was changed. Give the --vpc of this region, or '--vpc \"\"' for the default one.");
        }

        var vpcs = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeVpcsAsync(new DescribeVpcsRequest { Filters = [new Filter("is-default", ["true"])] }, cancellationToken), cancellationToken);
        var vpc = vpcs.Vpcs?.FirstOrDefault()?.VpcId ?? throw new DeploymentException(ExitCode.AwsRefused,
            $"Looking for a network failed: {options.Region} has no default VPC in this account. Nothing was changed. Give another with --vpc, make one with 'aws ec2 create-default-vpc --region {options.Region}', or take another --region.");
        var subnets = await AllAsync([new Filter("vpc-id", [vpc]), new Filter("default-for-az", ["true"])], cancellationToken);
        if (subnets.Count > 0) return subnets;
        throw new DeploymentException(ExitCode.AwsRefused,
            $"Looking for a network failed: the default VPC {vpc} of {options.Region} has no default subnet. Nothing was changed. Give subnets with --subnet, or make one with 'aws ec2 create-default-subnet'.");
    }

    private Task<List<Subnet>> AllAsync(List<Filter> filters, CancellationToken cancellationToken) => Ec2Calls.AllAsync<Subnet>(async (token, cancellationToken) =>
    {
        var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeSubnetsAsync(new DescribeSubnetsRequest { Filters = filters, NextToken = token }, cancellationToken), cancellationToken);
        return (page.Subnets, page.NextToken);
    }, cancellationToken);
}

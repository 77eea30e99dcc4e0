using System.Xml.Linq;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>What is asked before anything is started: types, routes, and whether the account would be allowed to.</summary>
internal sealed partial class StandIn
{
    /// <summary>Answers a request with <c>DryRun</c>: yes is an error too, and nothing is done.</summary>
    private Ec2Fault DryRun(string action, QueryForm form)
    {
        if (Options.Denied.Contains(action)) return Ec2Fault.Unauthorized(action);
        if (Options.Denied.Contains("CreateTags") && form.Structures("TagSpecification").Count > 0) return Ec2Fault.Unauthorized("CreateTags");
        return Options.DryRunFault?.Invoke(action) ?? new Ec2Fault("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
    }

    private XElement[] DescribeInstanceTypes(QueryForm form)
    {
        var name = form.Required("InstanceType.1");
        var type = Options.Types.FirstOrDefault(type => type.Name == name)
            ?? throw new Ec2Fault("InvalidInstanceType", $"The following supplied instance types do not exist: [{name}]");
        return [Set("instanceTypeSet", [[
            E("instanceType", type.Name), E("currentGeneration", !type.Name.StartsWith("m4.", StringComparison.Ordinal)), E("freeTierEligible", type.FreePlan),
            new XElement(Ns + "processorInfo", Set("supportedArchitectures", [[type.Architecture]])),
            new XElement(Ns + "vCpuInfo", E("defaultVCpus", type.Vcpus)),
        ]])];
    }

    // The main table holds for every subnet of its VPC that is associated with none.
    private IEnumerable<(string Id, string? Subnet, string? Way, string VpcId)> RouteTables =>
    [
        ("rtb-main", null, Options.MainRoute, Vpc),
        .. Options.Subnets.Select(subnet => subnet.VpcId).Distinct().Select(vpc => ($"rtb-main-{vpc}", (string?)null, (string?)null, vpc)),
        .. Options.Routes.Select(route => ($"rtb-{route.Key}", (string?)route.Key, route.Value, AllSubnets.First(subnet => subnet.Id == route.Key).VpcId)),
    ];

    private XElement[] DescribeRouteTables(QueryForm form) => Page(form, "routeTableSet", RouteTables
        .Where(table => form.Passes(new Dictionary<string, string>(), name => name == "vpc-id" ? table.VpcId : null))
        .Select(table => new object?[]
        {
            E("routeTableId", table.Id), E("vpcId", table.VpcId),
            Set("routeSet", [
                [E("destinationCidrBlock", "172.31.0.0/16"), E("gatewayId", "local"), E("state", "active")],
                .. table.Way is null ? [] : new object?[][] { [E("destinationCidrBlock", "0.0.0.0/0"), E(table.Way.StartsWith("nat-", StringComparison.Ordinal) ? "natGatewayId" : "gatewayId", table.Way), E("state", "active")] },
            ]),
            Set("associationSet", [[E("routeTableId", table.Id), E("main", table.Subnet is null), table.Subnet is null ? null : E("subnetId", table.Subnet)]]),
        }));
}

/// <summary>A subnet.</summary>
internal sealed record StandInSubnet(string Id, string Zone, string VpcId, bool IsIpv6Native = false);

/// <summary>An instance type as the stand-in tells of it.</summary>
internal sealed record StandInType(string Name, int Vcpus = 2, bool FreePlan = false, string Architecture = "x86_64");

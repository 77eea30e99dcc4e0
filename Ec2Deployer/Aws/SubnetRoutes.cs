using Amazon.EC2;
using Amazon.EC2.Model;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Whether a host in a subnet reaches the internet, by the VPC's route tables. Pure.</summary>
internal static class SubnetRoutes
{
    private const string Everywhere = "0.0.0.0/0";

    /// <summary>Why a host there has no way out, or null where it has one.</summary>
    /// <param name="subnet"><c>subnet-…</c></param>
    /// <param name="tables">All route tables of its VPC.</param>
    /// <param name="isPrivate">The host has no public address.</param>
    public static string? Obstacle(string subnet, IReadOnlyList<RouteTable> tables, bool isPrivate)
    {
        var associations = tables.SelectMany(table => (table.Associations ?? []).Select(association => (Table: table, Association: association))).ToList();
        var table = associations.FirstOrDefault(one => one.Association.SubnetId == subnet).Table
            ?? associations.FirstOrDefault(one => one.Association.Main == true).Table;
        // A list of prefixes may hold every address: what cannot be told from here is not refused.
        var routes = (table?.Routes ?? []).Where(route => (route.DestinationCidrBlock == Everywhere || route.DestinationPrefixListId is not null) && route.State != RouteState.Blackhole).ToList();
        var name = table?.RouteTableId ?? "its route table";
        if (routes.Count == 0) return $"{name} has no route for {Everywhere}";
        var toInternet = routes.Any(route => route.GatewayId?.StartsWith("igw-", StringComparison.Ordinal) == true);
        return (isPrivate, toInternet, routes.All(route => route.GatewayId?.StartsWith("igw-", StringComparison.Ordinal) == true)) switch
        {
            (true, _, true) => $"{name} leads {Everywhere} to an internet gateway, which is no use without a public address",
            (false, false, _) => $"{name} leads {Everywhere} to no internet gateway, so that public addresses do not work",
            _ => null,
        };
    }
}

using System.Xml.Linq;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>Which regions the account may use, each perhaps a stand-in of its own; and how EC2 forgets.</summary>
internal sealed partial class StandIn
{
    /// <summary>Ends every host as its time to live does; an hour later EC2 does not show them any more.</summary>
    /// <param name="everything">Groups, key pair and addresses have been removed by hand too.</param>
    public async Task EndAndForgetAsync(bool everything = false)
    {
        lock (_lock)
        {
            foreach (var instance in _instances.Values.Where(instance => instance.State is not ("terminated" or "shutting-down"))) End(instance);
        }

        await Task.WhenAll(_boots.ToArray());
        lock (_lock)
        {
            _instances.Clear();
            _volumes.Clear();
            if (!everything) return;
            _groups.Clear();
            _keys.Clear();
            _addresses.Clear();
        }
    }

    private XElement[] DescribeRegions(QueryForm form) => [Set("regionInfo", Options.Regions
        .Select(region => new object?[] { E("regionName", region), E("regionEndpoint", $"ec2.{region}.amazonaws.com"), E("optInStatus", "opt-in-not-required") }))];
}

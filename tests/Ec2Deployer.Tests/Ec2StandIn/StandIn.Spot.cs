using System.Globalization;
using System.Xml.Linq;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>Spot instances: asked for once, in RunInstances; given notice of; taken back. Refused as EC2 refuses them, in its words.</summary>
internal sealed partial class StandIn
{
    /// <summary>Gives a spot instance its two minutes' notice. EC2 closes the request at once, and lets the instance run on.</summary>
    public void GiveNotice(string host)
    {
        lock (_lock) RunningSpot(host).SpotStatus = "instance-terminated-no-capacity";
    }

    /// <summary>Takes a spot instance back, with or without a notice before.</summary>
    public async Task ReclaimAsync(string host)
    {
        lock (_lock)
        {
            var instance = RunningSpot(host);
            (instance.SpotStatus, instance.StateReason) = ("instance-terminated-no-capacity", "Server.SpotInstanceTermination");
            End(instance);
        }

        await Task.WhenAll(_boots.ToArray());
    }

    private StandInInstance RunningSpot(string host) => _instances.Values.Single(instance => instance.Tags["lab:host"] == host && instance is { State: "running", SpotPrice: not null });

    /// <summary>The maximum price of a request for a spot instance, or null where it is for one on demand.</summary>
    private string? SpotPrice(QueryForm form, string zone)
    {
        if (form["InstanceMarketOptions.MarketType"] is not { } market)
            return form.Fields.Keys.Any(name => name.StartsWith("InstanceMarketOptions.", StringComparison.Ordinal)) ? throw new Ec2Fault("MissingParameter", "The request must contain the parameter MarketType") : null;
        if (market != "spot") throw new Ec2Fault("InvalidParameterValue", $"Value ({market}) for parameter MarketType is invalid.");
        var (type, behavior, price) = (form["InstanceMarketOptions.SpotOptions.SpotInstanceType"] ?? "one-time", form["InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior"] ?? "terminate", form["InstanceMarketOptions.SpotOptions.MaxPrice"]);
        if (type == "one-time" && behavior != "terminate")
            throw new Ec2Fault("InvalidParameterCombination", $"The request with type 'one-time' is not supported when instanceInterruptionBehavior is set to '{behavior}'.");
        if (form["InstanceMarketOptions.SpotOptions.ValidUntil"] is not null)
            throw new Ec2Fault("InvalidParameterCombination", "The parameter validUntil cannot be specified when the SpotRequestType is set to 'one-time'.");
        if (form["InstanceInitiatedShutdownBehavior"] != "terminate") throw new Ec2Fault("InvalidParameterCombination", "instance_initiated_shutdown_behavior=stop is not supported for spot instances.");
        if (!Options.HasSpotRole)
            throw new Ec2Fault("AuthFailure.ServiceLinkedRoleCreationNotPermitted", "The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances.", 403);
        if (price is not null && decimal.Parse(price, CultureInfo.InvariantCulture) < 0.001m) throw new Ec2Fault("InvalidParameterValue", $"Value ({price}) for parameter price is invalid.");
        if (_instances.Values.Count(instance => instance.SpotPrice is not null && instance.State is "pending" or "running") >= Options.SpotLimit)
            throw new Ec2Fault("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded");
        if (Options.NoSpotCapacity.Contains(zone)) throw Ec2Fault.NoCapacity(zone);
        if (price is not null && Options.SpotPrices.TryGetValue(zone, out var current) && decimal.Parse(price, CultureInfo.InvariantCulture) < current)
            throw new Ec2Fault("SpotMaxPriceTooLow", $"Your Spot request price of {price} is lower than the minimum required Spot request fulfillment price of {current.ToString(CultureInfo.InvariantCulture)}.");
        return price ?? "";
    }

    // EC2 stops none of them, nor any of those beside it in the call.
    private static void RequireNoSpot(IEnumerable<StandInInstance> instances)
    {
        if (instances.FirstOrDefault(instance => instance.SpotPrice is not null) is { } spot)
            throw new Ec2Fault("UnsupportedOperation", $"You can't stop the Spot Instance '{spot.Id}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests.");
    }

    private XElement[] DescribeSpotInstanceRequests(QueryForm form) => Page(form, "spotInstanceRequestSet", _instances.Values
        .Where(instance => instance.SpotPrice is not null && Visible(instance) && form.Passes(new Dictionary<string, string>(), name => name == "instance-id" ? instance.Id : null))
        .Select(instance => new object?[]
        {
            E("spotInstanceRequestId", RequestOf(instance)), E("type", "one-time"), E("state", instance.SpotStatus == "fulfilled" ? "active" : "closed"),
            new XElement(Ns + "status", E("code", instance.SpotStatus)), E("instanceId", instance.Id),
        }));

    private static string RequestOf(StandInInstance instance) => $"sir-{instance.Id[^8..]}";
}

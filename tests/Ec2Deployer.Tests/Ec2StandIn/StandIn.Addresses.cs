using System.Globalization;
using System.Xml.Linq;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>Elastic IP addresses: allocated, put on instances, taken off, given back.</summary>
internal sealed partial class StandIn
{
    private readonly Dictionary<string, StandInAddress> _addresses = [];
    private int _lastAddress;

    public IReadOnlyCollection<StandInAddress> Addresses => _addresses.Values;

    private XElement[] AllocateAddress(QueryForm form)
    {
        if (form["Domain"] is not (null or "vpc")) throw new Ec2Fault("InvalidParameterValue", $"Invalid value '{form["Domain"]}' for domain");
        if (_addresses.Count >= Options.AddressQuota) throw new Ec2Fault("AddressLimitExceeded", "The maximum number of addresses has been reached.");
        var address = new StandInAddress(NewId("eipalloc"), FirstVisible(), form.Tags("elastic-ip")) { Ip = _hosts.ElasticAddress(++_lastAddress) };
        _addresses.Add(address.Id, address);
        return [E("publicIp", address.Ip), E("allocationId", address.Id), E("domain", "vpc"), E("publicIpv4Pool", "amazon")];
    }

    // EC2 knows no pages here.
    private XElement[] DescribeAddresses(QueryForm form)
    {
        foreach (var id in form.List("AllocationId")) ElasticAddress(id);
        return [Set("addressesSet", _addresses.Values
            .Where(address => Visible(address) && (form.List("AllocationId") is not { Count: > 0 } ids || ids.Contains(address.Id)))
            .Where(address => form.Passes(address.Tags, name => name switch { "domain" => "vpc", "instance-id" => address.InstanceId ?? "\0", _ => null }))
            .Select(address => new object?[]
            {
                E("publicIp", address.Ip), E("allocationId", address.Id), E("domain", "vpc"),
                address.InstanceId is { } instance ? E("instanceId", instance) : null,
                address.AssociationId is { } association ? E("associationId", association) : null,
                TagSet(address),
            }))];
    }

    private XElement[] DescribeAccountAttributes(QueryForm form) => [Set("accountAttributeSet", form.List("AttributeName").Select(name => new object?[]
    {
        E("attributeName", name),
        Set("attributeValueSet", [[E("attributeValue", name == "vpc-max-elastic-ips" ? Options.AddressQuota.ToString(CultureInfo.InvariantCulture)
            : throw new Ec2Fault("InvalidParameterValue", $"The attribute '{name}' is not known to this stand-in"))]]),
    }))];

    private XElement[] AssociateAddress(QueryForm form)
    {
        var address = ElasticAddress(form.Required("AllocationId"));
        var instance = Instance(form.Required("InstanceId"));
        if (instance.State is "pending" or "terminated" or "shutting-down")
            throw new Ec2Fault("InvalidInstanceID", $"The {instance.State} instance '{instance.Id}' is not in a valid state for this operation.");
        if (instance.State == "stopping") throw new Ec2Fault("IncorrectInstanceState", $"The instance '{instance.Id}' is not in a valid state for this operation.");
        if (address.InstanceId == instance.Id) return [E("return", true), E("associationId", address.AssociationId)];
        if (address.InstanceId is not null && form["AllowReassociation"] != "true")
            throw new Ec2Fault("Resource.AlreadyAssociated", $"resource {address.Id} is already associated with associate-id {address.AssociationId}");
        foreach (var other in _addresses.Values.Where(other => other.InstanceId == instance.Id)) TakeOff(other);
        TakeOff(address);
        (address.InstanceId, address.AssociationId) = (instance.Id, NewId("eipassoc"));
        PutOn(instance);
        return [E("return", true), E("associationId", address.AssociationId)];
    }

    private XElement[] DisassociateAddress(QueryForm form)
    {
        var id = form.Required("AssociationId");
        var address = _addresses.Values.FirstOrDefault(address => address.AssociationId == id)
            ?? throw new Ec2Fault("InvalidAssociationID.NotFound", $"The association ID '{id}' does not exist");
        TakeOff(address);
        return [E("return", true)];
    }

    private XElement[] ReleaseAddress(QueryForm form)
    {
        var address = ElasticAddress(form.Required("AllocationId"));
        if (address.InstanceId is not null) throw new Ec2Fault("InvalidIPAddress.InUse", $"Address {address.Ip} is in use.");
        _addresses.Remove(address.Id);
        return [E("return", true)];
    }

    private StandInAddress ElasticAddress(string id) => _addresses.TryGetValue(id, out var address) && Visible(address) ? address
        : throw new Ec2Fault("InvalidAllocationID.NotFound", $"The allocation ID '{id}' does not exist");

    private StandInAddress? AddressOf(StandInInstance instance) => _addresses.Values.FirstOrDefault(address => address.InstanceId == instance.Id);

    /// <summary>An instance that runs gets the address that it is to have, in place of one of the pool.</summary>
    private void PutOn(StandInInstance instance)
    {
        if (instance.Addresses is not { } addresses || AddressOf(instance) is not { } address) return;
        _hosts.PutOn(instance, address.Ip);
        instance.Addresses = addresses with { PublicAddress = address.Ip };
    }

    private void TakeOff(StandInAddress address)
    {
        if (address.InstanceId is not { } id) return;
        (address.InstanceId, address.AssociationId) = (null, null);
        if (!_instances.TryGetValue(id, out var instance) || instance.State is not ("running" or "stopped") || instance.Addresses is not { } addresses) return;
        _hosts.TakeOff(instance, address.Ip);
        // One that runs gets another of the pool where it was started with one.
        instance.Addresses = addresses with { PublicAddress = instance is { State: "running", WantsPublicAddress: true } ? _hosts.PoolAddress(instance) : null };
    }
}

internal sealed class StandInAddress(string id, long visibleFrom, Dictionary<string, string> tags) : StandInResource(id, visibleFrom, tags)
{
    public required string Ip { get; init; }
    public string? InstanceId { get; set; }
    public string? AssociationId { get; set; }
}

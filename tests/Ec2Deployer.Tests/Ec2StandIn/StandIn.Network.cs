using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

internal sealed partial class StandIn
{
    private readonly Dictionary<string, StandInGroup> _groups = [];
    private readonly Dictionary<string, StandInKey> _keys = [];

    private XElement[] CreateSecurityGroup(QueryForm form)
    {
        var name = form.Required("GroupName");
        var vpc = form.Required("VpcId");
        if (AllSubnets.All(subnet => subnet.VpcId != vpc)) throw new Ec2Fault("InvalidVpcID.NotFound", $"The vpc ID '{vpc}' does not exist");
        if (name.StartsWith("sg-", StringComparison.Ordinal) || name.Length > 255) throw new Ec2Fault("InvalidParameterValue", $"Value ({name}) for parameter GroupName is invalid.");
        if (_groups.Values.Any(group => group.Name == name)) throw new Ec2Fault("InvalidGroup.Duplicate", $"The security group '{name}' already exists for VPC '{vpc}'");
        var description = form.Required("GroupDescription");
        if (description.Any(letter => letter is < ' ' or > '~')) throw new Ec2Fault("InvalidParameterValue", "Invalid security group description. Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*");
        var group = new StandInGroup(NewId("sg"), FirstVisible(), form.Tags("security-group")) { Name = name, Description = description, VpcId = vpc };
        _groups.Add(group.Id, group);
        return [E("return", true), E("groupId", group.Id)];
    }

    private XElement[] DescribeSecurityGroups(QueryForm form) => Page(form, "securityGroupInfo", _groups.Values
        .Where(group => Visible(group) && form.Passes(group.Tags, name => name switch { "group-name" => group.Name, "vpc-id" => group.VpcId, _ => null }))
        .Select(group => new object?[]
        {
            E("ownerId", Options.Account), E("groupId", group.Id), E("groupName", group.Name), E("groupDescription", group.Description), E("vpcId", group.VpcId),
            // EC2 gathers sources of equal ports into one permission.
            Set("ipPermissions", group.Rules.GroupBy(rule => (rule.Protocol, rule.From, rule.To)).Select(rules => new object?[]
            {
                E("ipProtocol", rules.Key.Protocol),
                rules.Key.From >= 0 ? E("fromPort", rules.Key.From) : null,
                rules.Key.From >= 0 ? E("toPort", rules.Key.To) : null,
                Set("groups", rules.Where(rule => rule.Kind == "Groups").Select(rule => new object?[] { E("userId", "123456789012"), E("groupId", rule.Source), E("description", rule.Description) })),
                Set("ipRanges", rules.Where(rule => rule.Kind == "IpRanges").Select(rule => new object?[] { E("cidrIp", rule.Source), E("description", rule.Description) })),
                Set("ipv6Ranges", rules.Where(rule => rule.Kind == "Ipv6Ranges").Select(rule => new object?[] { E("cidrIpv6", rule.Source) })),
                Set("prefixListIds", []),
            })),
            TagSet(group),
        }));

    private XElement[] AuthorizeSecurityGroupIngress(QueryForm form)
    {
        var group = Group(form.Required("GroupId"));
        var rules = Rules(form).ToList();
        if (rules.FirstOrDefault(rule => rule.Description?.Any(letter => !char.IsAsciiLetterOrDigit(letter) && !" ._-:/()#,@[]+=&;{}!$*".Contains(letter)) == true) is { } bad)
            throw new Ec2Fault("InvalidParameterValue", $"Invalid rule description '{bad.Description}'");
        // All or nothing.
        if (rules.FirstOrDefault(rule => group.Rules.Any(rule.Same)) is { } duplicate)
            throw new Ec2Fault("InvalidPermission.Duplicate", $"the specified rule \"peer: {duplicate.Source}, {duplicate.Protocol}, from port: {duplicate.From}, to port: {duplicate.To}, ALLOW\" already exists");
        group.Rules.AddRange(rules);
        return [E("return", true)];
    }

    private XElement[] RevokeSecurityGroupIngress(QueryForm form)
    {
        var group = Group(form.Required("GroupId"));
        var rules = Rules(form).ToList();
        if (rules.Any(rule => !group.Rules.Any(rule.Same))) throw new Ec2Fault("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
        group.Rules.RemoveAll(existing => rules.Any(existing.Same));
        return [E("return", true)];
    }

    private XElement[] DeleteSecurityGroup(QueryForm form)
    {
        var group = Group(form.Required("GroupId"));
        if (_instances.Values.Any(instance => instance.GroupIds.Contains(group.Id) && (instance.State != "terminated" || _call < instance.InterfaceUntil))
            || _groups.Values.Any(other => other != group && other.Rules.Any(rule => rule.Source == group.Id)))
        {
            throw new Ec2Fault("DependencyViolation", $"resource {group.Id} has a dependent object");
        }

        _groups.Remove(group.Id);
        return [E("return", true)];
    }

    private XElement[] ImportKeyPair(QueryForm form)
    {
        var name = form.Required("KeyName");
        if (_keys.Values.Any(key => key.Name == name)) throw new Ec2Fault("InvalidKeyPair.Duplicate", $"The keypair '{name}' already exists.");
        var material = Encoding.UTF8.GetString(Convert.FromBase64String(form.Required("PublicKeyMaterial")));
        if (!material.StartsWith("ssh-ed25519 AAAA", StringComparison.Ordinal) && !material.StartsWith("ssh-rsa AAAA", StringComparison.Ordinal)) throw new Ec2Fault("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
        var key = new StandInKey(NewId("key"), FirstVisible(), form.Tags("key-pair")) { Name = name, PublicKey = material };
        _keys.Add(key.Id, key);
        return [E("keyName", name), E("keyFingerprint", "SHA256"), E("keyPairId", key.Id), TagSet(key)];
    }

    private XElement[] DescribeKeyPairs(QueryForm form) => [Set("keySet", _keys.Values
        .Where(key => Visible(key) && form.Passes(key.Tags, name => name == "key-name" ? key.Name : null))
        .Select(key => new object?[]
        {
            E("keyPairId", key.Id), E("keyName", key.Name), E("keyType", "ed25519"),
            form["IncludePublicKey"] == "true" ? E("publicKey", $"{key.PublicKey} {key.Name}\n") : null, TagSet(key),
        }))];

    // Deleting what is not there is no error for EC2.
    private XElement[] DeleteKeyPair(QueryForm form)
    {
        foreach (var key in _keys.Values.Where(key => form["KeyPairId"] is { } id ? key.Id == id : key.Name == form["KeyName"]).ToList()) _keys.Remove(key.Id);
        return [E("return", true)];
    }

    private XElement[] DescribeImages(QueryForm form)
    {
        var ids = form.List("ImageId");
        var owners = form.List("Owner");
        if (ids.FirstOrDefault(id => Options.Images.All(image => image.Id != id)) is { } unknown)
            throw new Ec2Fault("InvalidAMIID.NotFound", $"The image id '[{unknown}]' does not exist");
        return [Set("imagesSet", Options.Images
            .Where(image => (ids.Count == 0 || ids.Contains(image.Id)) && (owners.Count == 0 || owners.Contains(image.Owner)))
            .Where(image => form.Passes(new Dictionary<string, string>(), name => name switch
            {
                "name" => image.Name, "state" => "available", "architecture" => image.Architecture, "root-device-type" => "ebs", _ => null,
            }))
            .Select(image => new object?[]
            {
                E("imageId", image.Id), E("name", image.Name), E("imageOwnerId", image.Owner), E("imageState", "available"), E("creationDate", image.CreationDate),
                E("architecture", image.Architecture), E("rootDeviceType", "ebs"), E("rootDeviceName", "/dev/xvda"),
                Set("blockDeviceMapping", [[E("deviceName", "/dev/xvda"), new XElement(Ns + "ebs", E("volumeSize", image.MinimumGiB))]]),
            }))];
    }

    private XElement[] DescribeVpcs(QueryForm form) => [Set("vpcSet",
        form.Passes(new Dictionary<string, string>(), name => name == "is-default" ? "true" : null) ? [[E("vpcId", Vpc), E("isDefault", true)]] : [])];

    private XElement[] DescribeSubnets(QueryForm form) => Page(form, "subnetSet", AllSubnets
        .Where(subnet => form.List("SubnetId") is not { Count: > 0 } ids || Known(ids).Contains(subnet.Id))
        .Where(subnet => form.Passes(new Dictionary<string, string>(), name => name switch { "vpc-id" => subnet.VpcId, "default-for-az" => subnet.VpcId == Vpc ? "true" : "false", _ => null }))
        // EC2's order is nobody's.
        .Reverse()
        .Select(subnet => new object?[] { E("subnetId", subnet.Id), E("availabilityZone", subnet.Zone), E("vpcId", subnet.VpcId), E("defaultForAz", subnet.VpcId == Vpc), E("ipv6Native", subnet.IsIpv6Native) }));

    private XElement[] DescribeInstanceTypeOfferings(QueryForm form) => Page(form, "instanceTypeOfferingSet", Options.Types
        .Where(type => form.Passes(new Dictionary<string, string>(), name => name == "instance-type" ? type.Name : null))
        .SelectMany(type => Zones.Where(zone => !Options.NotOffered.Contains(zone))
            .Select(zone => new object?[] { E("instanceType", type.Name), E("locationType", "availability-zone"), E("location", zone) })));

    private IEnumerable<StandInSubnet> AllSubnets => Zones.Select(zone => new StandInSubnet(SubnetOf(zone), zone, Vpc)).Concat(Options.Subnets);

    private IReadOnlyList<string> Known(IReadOnlyList<string> subnets) => subnets.FirstOrDefault(id => AllSubnets.All(subnet => subnet.Id != id)) is { } unknown
        ? throw new Ec2Fault("InvalidSubnetID.NotFound", $"The subnet ID '{unknown}' does not exist")
        : subnets;

    private static string SubnetOf(string zone) => $"subnet-0000000{zone[^1]}";

    private StandInGroup Group(string id) =>
        _groups.TryGetValue(id, out var group) && Visible(group) ? group
            : throw new Ec2Fault("InvalidGroup.NotFound", $"The security group '{id}' does not exist");

    private IEnumerable<StandInRule> Rules(QueryForm form)
    {
        foreach (var permission in form.Structures("IpPermissions"))
        {
            foreach (var (kind, field) in new[] { ("IpRanges", "CidrIp"), ("Groups", "GroupId"), ("Ipv6Ranges", "CidrIpv6") })
            {
                foreach (var source in permission.Structures(kind))
                {
                    var name = source.Required(field);
                    if (kind == "Groups") Group(name);
                    yield return new StandInRule(permission.Required("IpProtocol"), Port("FromPort"), Port("ToPort"), kind, name, source["Description"]);
                }
            }

            int Port(string name) => int.Parse(permission[name] ?? "-1", CultureInfo.InvariantCulture);
        }
    }
}

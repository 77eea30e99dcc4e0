using System.Xml.Linq;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>Tags of whatever there is, network interfaces included.</summary>
internal sealed partial class StandIn
{
    private readonly Dictionary<string, StandInInterface> _interfaces = [];

    public IReadOnlyCollection<StandInInterface> Interfaces => _interfaces.Values;

    private XElement[] CreateTags(QueryForm form)
    {
        foreach (var resource in form.List("ResourceId").Select(Resource).ToList())
            foreach (var tag in form.Structures("Tag")) resource.Tags[tag.Required("Key")] = tag["Value"] ?? "";
        return [E("return", true)];
    }

    // A tag without a value goes whatever its value is.
    private XElement[] DeleteTags(QueryForm form)
    {
        foreach (var resource in form.List("ResourceId").Select(Resource).ToList())
        {
            foreach (var tag in form.Structures("Tag"))
                if (tag["Value"] is not { } value || resource.Tags.GetValueOrDefault(tag.Required("Key")) == value) resource.Tags.Remove(tag.Required("Key"));
        }

        return [E("return", true)];
    }

    private StandInResource Resource(string id) =>
        Find(id) is { } resource && Visible(resource) ? resource : throw new Ec2Fault("InvalidID", $"The ID '{id}' is not valid");

    private StandInResource? Find(string id) =>
        _instances.GetValueOrDefault(id) ?? _groups.GetValueOrDefault(id) ?? _volumes.GetValueOrDefault(id) ?? _interfaces.GetValueOrDefault(id) ?? _addresses.GetValueOrDefault(id) ?? (StandInResource?)_keys.GetValueOrDefault(id);
}

internal sealed class StandInInterface(string id, long visibleFrom, Dictionary<string, string> tags) : StandInResource(id, visibleFrom, tags)
{
    public required string InstanceId { get; init; }
}

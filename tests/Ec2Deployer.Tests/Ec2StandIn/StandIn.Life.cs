using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>What a deployment needs to be stopped and started, and to end when it should.</summary>
internal sealed partial class StandIn
{
    private readonly Dictionary<string, DateTimeOffset> _firstStarts = [];

    /// <summary>Says that an instance was started so much earlier than it was, both the first time and the last.</summary>
    public void Age(TimeSpan by)
    {
        lock (_lock)
        {
            foreach (var instance in _instances.Values)
            {
                _firstStarts[instance.Id] = FirstStart(instance) - by;
                instance.LaunchTime -= by;
            }
        }
    }

    /// <summary>Stops a host as somebody does in the console.</summary>
    public async Task StopAsync(string host)
    {
        using var ec2 = Client();
        var id = _instances.Values.Single(instance => instance.Tags["lab:host"] == host && instance.State == "running").Id;
        await ec2.StopInstancesAsync(new Amazon.EC2.Model.StopInstancesRequest { InstanceIds = [id] });
        await Task.WhenAll(_boots.ToArray());
    }

    private static XElement[] SetUserData(StandInInstance instance, string document)
    {
        if (instance.State != "stopped") throw new Ec2Fault("IncorrectInstanceState", $"The instance '{instance.Id}' is not in the 'stopped' state.");
        instance.UserData = Encoding.UTF8.GetString(Convert.FromBase64String(document));
        return [E("return", true)];
    }

    private DateTimeOffset FirstStart(StandInInstance instance)
    {
        if (!_firstStarts.TryGetValue(instance.Id, out var first)) _firstStarts[instance.Id] = first = instance.LaunchTime;
        return first;
    }

    private XElement NetworkInterfaces(StandInInstance instance) => Set("networkInterfaceSet", _interfaces.Values.Where(card => card.InstanceId == instance.Id).Select(card => new object?[]
    {
        E("networkInterfaceId", card.Id),
        instance.Addresses?.PublicAddress is { } address && instance.State is "running" or "stopping" or "stopped"
            ? new XElement(Ns + "association", E("publicIp", address), E("ipOwnerId", _addresses.Values.Any(elastic => elastic.Ip == address) ? Options.Account : "amazon")) : null,
        new XElement(Ns + "attachment", E("deviceIndex", 0), E("attachTime", FirstStart(instance).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))),
    }));
}

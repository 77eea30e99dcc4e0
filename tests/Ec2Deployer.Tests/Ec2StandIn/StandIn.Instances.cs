using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

internal sealed partial class StandIn
{
    private readonly Dictionary<string, StandInInstance> _instances = [];
    private readonly Dictionary<string, StandInVolume> _volumes = [];

    /// <summary>Ends an instance as if its machine had died or somebody had ended it in the console.</summary>
    public async Task KillAsync(string host)
    {
        StandInInstance instance;
        lock (_lock)
        {
            instance = _instances.Values.Single(instance => instance.Tags["lab:host"] == host && instance.State == "running");
            End(instance);
        }

        await Task.WhenAll(_boots.ToArray());
    }

    private XElement[] RunInstances(QueryForm form)
    {
        var token = form["ClientToken"] ?? "";
        if (_instances.Values.FirstOrDefault(instance => token.Length > 0 && instance.ClientToken == token) is { } earlier)
        {
            // The same call again: the same answer, or a complaint.
            if (!Same(earlier.Request, form.Fields)) throw new Ec2Fault("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).");
            if (earlier.State is "terminated" or "shutting-down") throw new Ec2Fault("IdempotentInstanceTerminated", "The client token you have provided is associated with a terminated instance.");
            return Reservation(earlier);
        }

        if (token.Length > 64) throw new Ec2Fault("InvalidParameterValue", "Client token is too long");
        if (form["MinCount"] != "1" || form["MaxCount"] != "1") throw new Ec2Fault("InvalidParameterValue", "This stand-in starts one instance at a time");
        var image = Options.Images.FirstOrDefault(image => image.Id == form.Required("ImageId"))
            ?? throw new Ec2Fault("InvalidAMIID.NotFound", $"The image id '[{form["ImageId"]}]' does not exist");
        var architecture = Options.Types.Find(type => type.Name == form["InstanceType"])?.Architecture ?? image.Architecture;
        if (architecture != image.Architecture)
            throw new Ec2Fault("InvalidParameterValue", $"The architecture '{architecture}' of the specified instance type does not match the architecture '{image.Architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.");
        var network = form.Structures("NetworkInterface").Single();
        var subnet = network.Required("SubnetId");
        var zone = AllSubnets.FirstOrDefault(one => one.Id == subnet)?.Zone ?? throw new Ec2Fault("InvalidSubnetID.NotFound", $"The subnet ID '{subnet}' does not exist");
        var groups = network.List("SecurityGroupId").ToList();
        foreach (var group in groups) Group(group);
        var key = _keys.Values.FirstOrDefault(key => key.Name == form.Required("KeyName") && Visible(key))
            ?? throw new Ec2Fault("InvalidKeyPair.NotFound", $"The key pair '{form["KeyName"]}' does not exist");
        if (Options.NotOffered.Contains(zone) || Options.Unsupported.Contains(zone)) throw new Ec2Fault("Unsupported", $"Your requested instance type ({form["InstanceType"]}) is not supported in your requested Availability Zone ({zone}).");
        if (Options.NoCapacity.Contains(zone)) throw Ec2Fault.NoCapacity(zone);
        var spotPrice = SpotPrice(form, zone);
        var userData = Convert.FromBase64String(form["UserData"] ?? "");
        if (userData.Length > 16384) throw new Ec2Fault("InvalidParameterValue", "User data is limited to 16384 bytes");
        var disk = form.Structures("BlockDeviceMapping").Single();
        var size = int.Parse(disk.Required("Ebs.VolumeSize"), CultureInfo.InvariantCulture);
        if (size < image.MinimumGiB) throw new Ec2Fault("InvalidBlockDeviceMapping", $"Volume of size {size}GB is smaller than snapshot, expect size >= {image.MinimumGiB}GB");

        var instance = new StandInInstance(NewId("i"), FirstVisible(), form.Tags("instance"))
        {
            ImageId = image.Id,
            InstanceType = form.Required("InstanceType"),
            Architecture = architecture,
            Zone = zone,
            SubnetId = subnet,
            KeyName = key.Name,
            PublicKey = key.PublicKey,
            UserData = Encoding.UTF8.GetString(userData),
            ClientToken = token,
            LaunchTime = DateTimeOffset.UtcNow,
            WantsPublicAddress = network["AssociatePublicIpAddress"] == "true",
            TerminatesOnShutdown = form["InstanceInitiatedShutdownBehavior"] == "terminate",
            Request = form.Fields,
            SpotPrice = spotPrice,
            GroupIds = groups,
        };
        _instances.Add(instance.Id, instance);
        var volume = new StandInVolume(NewId("vol"), FirstVisible(), form.Tags("volume")) { Size = size, InstanceId = instance.Id };
        _volumes.Add(volume.Id, volume);
        var card = new StandInInterface(NewId("eni"), FirstVisible(), form.Tags("network-interface")) { InstanceId = instance.Id };
        _interfaces.Add(card.Id, card);
        Boot(instance);
        return Reservation(instance);
    }

    private XElement[] DescribeInstances(QueryForm form)
    {
        var ids = form.List("InstanceId");
        foreach (var id in ids) Instance(id);
        return Page(form, "reservationSet", _instances.Values
            .Where(instance => Visible(instance) && (ids.Count == 0 || ids.Contains(instance.Id)))
            .Where(instance => form.Passes(instance.Tags, name => name switch { "instance-state-name" => instance.State, "vpc-id" => Vpc, _ => null }))
            .Select(instance => new object?[] { E("reservationId", "r-" + instance.Id[2..]), Set("instancesSet", [Describe(instance)]) }));
    }

    private XElement[] TerminateInstances(QueryForm form)
    {
        var instances = form.List("InstanceId").Select(Instance).ToList();
        foreach (var instance in instances.Where(instance => instance.State is not ("terminated" or "shutting-down"))) End(instance);
        return [Changed(instances)];
    }

    private XElement[] StartInstances(QueryForm form)
    {
        var instances = form.List("InstanceId").Select(Instance).ToList();
        foreach (var instance in instances)
        {
            if (instance.State is "stopping" or "terminated" or "shutting-down")
                throw new Ec2Fault("IncorrectInstanceState", $"The instance '{instance.Id}' is not in a state from which it can be started.");
            if (instance.State != "stopped") continue;
            instance.State = "pending";
            instance.LaunchTime = DateTimeOffset.UtcNow;
            Boot(instance);
        }

        return [Changed(instances)];
    }

    private XElement[] StopInstances(QueryForm form)
    {
        var instances = form.List("InstanceId").Select(Instance).ToList();
        if (instances.Find(instance => instance.State is not ("running" or "stopping" or "stopped")) is { } other)
            throw new Ec2Fault("IncorrectInstanceState", $"The instance '{other.Id}' is not in a state from which it can be stopped.");
        RequireNoSpot(instances);
        foreach (var instance in instances)
        {
            if (instance.State != "running") continue;
            instance.State = "stopping";
            // A public address of the pool is given back when the instance stops.
            instance.Addresses = instance.Addresses! with { PublicAddress = AddressOf(instance)?.Ip };
            _boots.Add(Task.Run(async () =>
            {
                await _hosts.StopAsync(instance, terminate: false, _end.Token);
                lock (_lock) instance.State = "stopped";
            }));
        }

        return [Changed(instances)];
    }

    private XElement[] ModifyInstanceAttribute(QueryForm form)
    {
        if (form["UserData.Value"] is { } document) return SetUserData(Instance(form.Required("InstanceId")), document);
        var groups = form.List("GroupId");
        if (groups.Count == 0) throw new Ec2Fault("InvalidParameterCombination", "Only the groups can be changed here");
        foreach (var group in groups) Group(group);
        Instance(form.Required("InstanceId")).GroupIds = [.. groups];
        return [E("return", true)];
    }

    private XElement[] GetConsoleOutput(QueryForm form)
    {
        var instance = Instance(form.Required("InstanceId"));
        if (form["Latest"] == "true" && Options.Xen) throw new Ec2Fault("UnsupportedOperation", "This instance type does not support retrieving the latest console logs.");
        var output = instance.State == "running" && instance.ConsoleReads++ >= Options.EmptyConsoleReads ? _hosts.ConsoleOutput(instance) : "";
        return [E("instanceId", instance.Id), E("timestamp", "2026-11-24T10:00:00.000Z"), E("output", Convert.ToBase64String(Encoding.UTF8.GetBytes(output)))];
    }

    private XElement[] DescribeVolumes(QueryForm form) => Page(form, "volumeSet", _volumes.Values
        .Where(volume => Visible(volume) && form.Passes(volume.Tags, _ => null))
        .Select(volume => new object?[] { E("volumeId", volume.Id), E("size", volume.Size), E("volumeType", volume.Type), E("status", volume.InstanceId is null ? "available" : "in-use"), TagSet(volume) }));

    private XElement[] DeleteVolume(QueryForm form)
    {
        var id = form.Required("VolumeId");
        var volume = _volumes.GetValueOrDefault(id) ?? throw new Ec2Fault("InvalidVolume.NotFound", $"The volume '{id}' does not exist.");
        if (volume.InstanceId is not null) throw new Ec2Fault("VolumeInUse", $"Volume {id} is currently attached to {volume.InstanceId}");
        _volumes.Remove(id);
        return [E("return", true)];
    }

    private void Boot(StandInInstance instance) => _boots.Add(Task.Run(async () =>
    {
        try
        {
            var addresses = await _hosts.StartAsync(instance, _end.Token);
            lock (_lock)
            {
                if (instance.State != "pending") return;
                (instance.Addresses, instance.State) = (addresses, "running");
                PutOn(instance);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            lock (_lock)
            {
                instance.StateReason = "Server.InternalError";
                End(instance);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }));

    private void End(StandInInstance instance)
    {
        instance.State = "shutting-down";
        _boots.Add(Task.Run(async () =>
        {
            await _hosts.StopAsync(instance, terminate: true, CancellationToken.None);
            lock (_lock)
            {
                instance.State = "terminated";
                if (AddressOf(instance) is { } address) TakeOff(address);
                instance.InterfaceUntil = _call + Options.InterfaceLag;
                foreach (var volume in _volumes.Values.Where(volume => volume.InstanceId == instance.Id).ToList()) _volumes.Remove(volume.Id);
                foreach (var card in _interfaces.Values.Where(card => card.InstanceId == instance.Id).ToList()) _interfaces.Remove(card.Id);
            }
        }));
    }

    private StandInInstance Instance(string id) =>
        _instances.TryGetValue(id, out var instance) && Visible(instance) ? instance
            : throw new Ec2Fault("InvalidInstanceID.NotFound", $"The instance ID '{id}' does not exist");

    private XElement[] Reservation(StandInInstance instance) => [E("reservationId", "r-" + instance.Id[2..]), Set("instancesSet", [Describe(instance)])];

    private object?[] Describe(StandInInstance instance) =>
    [
        E("instanceId", instance.Id), E("imageId", instance.ImageId), E("instanceType", instance.InstanceType), E("architecture", instance.Architecture), E("keyName", instance.KeyName),
        E("launchTime", instance.LaunchTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
        new XElement(Ns + "instanceState", E("code", Code(instance.State)), E("name", instance.State)),
        new XElement(Ns + "cpuOptions", E("coreCount", 1), E("threadsPerCore", 2)),
        new XElement(Ns + "placement", E("availabilityZone", instance.Zone), E("tenancy", "default")),
        instance.Addresses is { } addresses && instance.State is not "terminated" ? E("privateIpAddress", addresses.PrivateAddress) : null,
        instance.Addresses?.PublicAddress is { } address && instance.State is "running" or "stopping" or "stopped" ? E("ipAddress", address) : null,
        E("vpcId", AllSubnets.First(subnet => subnet.Id == instance.SubnetId).VpcId), E("subnetId", instance.SubnetId), E("clientToken", instance.ClientToken), E("hypervisor", "xen"),
        instance.StateReason is { } reason ? new XElement(Ns + "stateReason", E("code", reason), E("message", $"{reason}: the machine did not start")) : null,
        instance.SpotPrice is not null ? E("instanceLifecycle", "spot") : null, instance.SpotPrice is not null ? E("spotInstanceRequestId", RequestOf(instance)) : null,
        Set("groupSet", instance.GroupIds.Select(id => new object?[] { E("groupId", id), E("groupName", _groups.GetValueOrDefault(id)?.Name) })),
        Set("blockDeviceMapping", _volumes.Values.Where(volume => volume.InstanceId == instance.Id)
            .Select(volume => new object?[] { E("deviceName", "/dev/xvda"), new XElement(Ns + "ebs", E("volumeId", volume.Id), E("status", "attached")) })),
        NetworkInterfaces(instance),
        TagSet(instance),
    ];

    private static XElement Changed(IEnumerable<StandInInstance> instances) => Set("instancesSet", instances.Select(instance => new object?[]
    {
        E("instanceId", instance.Id),
        new XElement(Ns + "currentState", E("code", Code(instance.State)), E("name", instance.State)),
    }));

    private static int Code(string state) => state switch { "pending" => 0, "running" => 16, "shutting-down" => 32, "terminated" => 48, "stopping" => 64, _ => 80 };

    private static bool Same(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other) =>
        one.Count == other.Count && one.All(field => other.GetValueOrDefault(field.Key) == field.Value);
}

using System.Globalization;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// Turns what is wanted and what exists into what has to be done. Pure: no clock, no network, no file; equal input,
/// equal plan. <c>plan</c> prints its result and <c>publish</c> executes it.
/// </summary>
internal sealed class DeploymentPlanner
{
    private readonly DeploymentOptions _options;
    private readonly ObservedDeployment _observed;
    private readonly CallerFacts _caller;
    private readonly DeploymentNames _names;
    private readonly Ec2Ids _ids = new();
    private readonly List<Ec2Action> _actions = [];
    private readonly List<string> _notes = [];
    private int _diskGiB;

    private DeploymentPlanner(DeploymentOptions options, ObservedDeployment observed, CallerFacts caller)
    {
        // What EC2 takes back is as good as lost.
        options = options with { Replace = [.. options.Replace.Union(observed.Instances.Where(instance => instance.IsTakenBack).Select(instance => instance.Host))] };
        _options = options with { End = HostEnd.Shared([.. observed.Instances.Where(instance => !options.Replace.Contains(instance.Host))]) };
        (_observed, _caller, _names) = (observed, caller, DeploymentNames.Of(options, observed));
    }

    /// <summary>The plan.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="observed">What EC2 says, or <see cref="ObservedDeployment.Unknown"/>.</param>
    /// <param name="caller">What is known about who deploys.</param>
    /// <exception cref="DeploymentException">What exists and what is wanted cannot be reconciled: the key that opens the running hosts is not here.</exception>
    public static DeploymentPlan Plan(DeploymentOptions options, ObservedDeployment observed, CallerFacts caller) =>
        new DeploymentPlanner(options, observed, caller).Plan();

    private DeploymentPlan Plan()
    {
        if (_observed.VpcId is { } vpc) _ids["default VPC"] = vpc;
        foreach (var zone in _observed.Zones) _ids[Subnet(zone.Zone)] = zone.SubnetId;
        foreach (var group in _observed.Groups) _ids[group.Name] = group.Id;

        var image = _observed.Image ?? new MachineImage(
            _options.ImageId ?? $"<newest {_options.ImageNameFor(FleetArchitecture.LaunchedOf(_options, _observed))} of {_options.ImageOwner}>", _options.ImageId is null ? "" : _options.ImageId, "/dev/xvda", 8);
        _diskGiB = Math.Max(_options.DiskGiB, image.MinimumGiB);
        if (image.MinimumGiB > _options.DiskGiB) _notes.Add($"The image needs {image.MinimumGiB} GiB: hosts get that instead of {_options.DiskGiB} GiB.");

        if (_observed.Others.Count > 0) _notes.Add($"Another '{_options.Name}' in {_options.Region} belongs to {string.Join(" and ", _observed.Others)} and is left alone.");
        RequireReplaceable();
        var addresses = new AddressPlanner(_options, _observed, _ids, _actions, _notes);
        addresses.Allocate();
        PlanKey();
        var groups = PlanGroups();
        var hosts = PlanHosts(image);
        var architecture = FleetArchitecture.Of(_options, _observed, hosts);
        PlanSurplus();
        addresses.Associate(hosts);
        var launched = _actions.OfType<LaunchAction>().Select(launch => launch.Host).ToList();
        var starting = launched.Concat(hosts.Where(host => _actions.Any(action => action.Kind == ActionKind.Start && action.Subject == host.Name))).ToList();
        var spot = launched.Count(host => host.IsSpot);
        _notes.AddRange(SpotNotes.Of(_options, _observed, [.. launched.Where(host => host.IsSpot).Select(host => host.Name)]));
        if (launched.Count > 0 && _observed.Launch is { } facts) _notes.AddRange(facts.Notes(_options, launched.Count - spot, spot));
        else if (!_observed.Known) _notes.Add(LaunchFacts.Unasked(_options));
        return new DeploymentPlan
        {
            Options = _options,
            Observed = _observed.Known,
            Hosts = hosts,
            Architecture = architecture,
            Containers = FleetShape.Containers(_options),
            Groups = groups,
            KeyName = _names.Key,
            Image = image.Name.Length == 0 || image.Name == image.Id ? image.Id : $"{image.Id} ({image.Name})",
            Actions = _actions,
            Ids = _ids,
            Addresses = addresses.Hosts,
            Cost = RunningCost.Of(_options, [.. Remaining(hosts).Select(Running)], _observed.LooseDisks, launched.Count, _diskGiB, spotLaunches: spot),
            Starting = [.. starting.Select(host => host.Name)],
            StartingCost = RunningCost.Of(_options, [.. _actions.OfType<StartAction>().Select(start => Running(start.Instance))], [], launched.Count, _diskGiB, spotLaunches: spot),
            Notes = _notes,
        };
    }

    // What is none of the hosts and left alone costs all the same.
    private IEnumerable<ObservedInstance> Remaining(List<PlannedHost> hosts) => _observed.Instances.Where(instance =>
        hosts.Exists(host => host.InstanceId == instance.Id) || (instance.Host != FleetShape.OrchestratorHost && FleetShape.WorkerHostNumber(instance.Host) is null));

    private static ObservedInstance Running(ObservedInstance instance) => instance.State is "running" ? instance : instance with { State = "pending" };

    /// <summary>The hosts' SSH key is not on this machine.</summary>
    public static DeploymentException OtherKey(DeploymentOptions options) => new(ExitCode.Failed,
        $"The hosts of '{options.Name}' were started with another SSH key than the one on this machine, so this machine cannot open them. Nothing was changed. "
        + "Take the deployment over with 'state export' where it was published and 'state import' here, or only its key with 'publish --ssh-key FILE'; 'destroy' needs none; where it is somebody else's, take another --name.");

    // Nothing would be replaced, and nobody told.
    private void RequireReplaceable()
    {
        var names = FleetShape.Hosts(_options.Hosts);
        if (_options.Replace.FirstOrDefault(host => !names.Contains(host) && _observed.Instances.All(instance => instance.Host != host)) is { } none)
            throw new DeploymentException(ExitCode.Usage, $"--replace '{none}' is no host of '{_options.Name}': there are {string.Join(", ", names)}. Nothing was changed.");
    }

    private void PlanKey()
    {
        var name = _names.Key;
        if (_observed.Key is { } key)
        {
            if (key.PublicKey == _caller.PublicKey)
            {
                if (key.Id is { } id) PlanTags(name, [id], key.Tags, Ec2Requests.Tags(_options, null, null));
                return;
            }

            if (_observed.Instances.Count > 0) throw OtherKey(_options);
            _actions.Add(new SimpleAction(ActionKind.Remove, name, "a key pair whose private half is not here, and that opens no host",
                _ => key.Id is { } id ? new DeleteKeyPairRequest { KeyPairId = id } : new DeleteKeyPairRequest { KeyName = name }));
        }

        _actions.Add(new SimpleAction(ActionKind.Create, name, "key pair, ed25519, made on this machine",
            _ => Ec2Requests.ImportKey(_options, name, _caller.PublicKey ?? "<public key, made at the first publish>")));
    }

    private List<PlannedGroup> PlanGroups()
    {
        var here = _caller.Address is { } address ? $"{address}/32" : "<your address>/32";
        var (_, front, fleet) = _names;
        var ssh = _options.SshFrom is { } sshFrom ? DeploymentOptionsCheck.Cidr(sshFrom)! : here;
        // Through a bastion requests come from where SSH does.
        var http = _options.HttpFrom is { } httpFrom ? DeploymentOptionsCheck.Cidr(httpFrom)! : _options.Bastion is null ? here : ssh;
        var groups = new List<PlannedGroup>
        {
            new(front, "Lab: hosts that clients reach",
            [
                new FirewallRule("tcp", 80, 80, http, "HTTP"),
                new FirewallRule("tcp", FleetShape.HttpsPort, FleetShape.HttpsPort, http, "HTTPS"),
                new FirewallRule("tcp", FleetShape.FirstWorkerPort, FleetShape.FirstWorkerPort, fleet, "images, sent once, to the other hosts"),
                .. _options.Dashboard ? (FirewallRule[])[new FirewallRule("tcp", FleetShape.TelemetryPort, FleetShape.TelemetryPort, fleet, "telemetry to the dashboard")] : [],
            ]),
            new(fleet, "Lab: all hosts of the deployment",
            [
                new FirewallRule("tcp", _options.SshPort, _options.SshPort, ssh, "SSH of the deployer"),
                new FirewallRule("tcp", FleetShape.FirstWorkerPort, FleetShape.FirstWorkerPort + FleetShape.WorkersPerHost - 1, front, "orchestrator to workers"),
                new FirewallRule("tcp", 2377, 2377, fleet, "Swarm management"),
                new FirewallRule("tcp", 7946, 7946, fleet, "Swarm gossip"),
                new FirewallRule("udp", 7946, 7946, fleet, "Swarm gossip"),
                // 4789/udp (VXLAN, neither encrypted nor authenticated) stays closed: no service is on an overlay network.
            ]),
        };

        // All groups before all rules: rules name groups.
        foreach (var group in groups.Where(group => _observed.Groups.All(existing => existing.Name != group.Name)))
        {
            _actions.Add(new SimpleAction(ActionKind.Create, group.Name, $"security group: {group.Description[5..]}",
                ids => Ec2Requests.CreateGroup(_options, group, ids["default VPC"])));
        }

        foreach (var group in _observed.Groups.Where(group => groups.Any(planned => planned.Name == group.Name)))
            PlanTags(group.Name, [group.Id], group.Tags, [.. Ec2Requests.Tags(_options, null, null), new Tag(LabTags.Name, group.Name)]);

        foreach (var group in groups)
        {
            var existing = _observed.Groups.FirstOrDefault(observed => observed.Name == group.Name)?.Rules ?? [];
            var missing = group.Rules.Where(rule => !existing.Contains(Resolve(rule, _ids))).ToList();
            if (missing.Count > 0)
            {
                _actions.Add(new SimpleAction(ActionKind.Change, group.Name, $"let in {string.Join(", ", missing.Select(Text))}",
                    ids => Ec2Requests.Authorize(ids[group.Name], missing.Select(rule => Resolve(rule, ids)))));
            }

            var surplus = existing.Except(group.Rules.Select(rule => Resolve(rule, _ids))).ToList();
            if (surplus.Count > 0)
            {
                _actions.Add(new SimpleAction(ActionKind.Change, group.Name, $"no more let in {string.Join(", ", surplus.Select(Text))}",
                    ids => Ec2Requests.Revoke(ids[group.Name], surplus)));
            }
        }

        return groups;

        static string Text(FirewallRule rule) => $"{rule.Protocol} {rule.Ports} from {rule.Source}";
    }

    private FirewallRule Resolve(FirewallRule rule, Ec2Ids ids) =>
        rule.Source == _names.Front || rule.Source == _names.Fleet ? rule with { Source = ids[rule.Source] } : rule;

    private List<PlannedHost> PlanHosts(MachineImage image)
    {
        var zones = _observed.Zones.Count > 0 ? _observed.Zones.Select(zone => zone.Zone).ToList() : ["<zone 1>", "<zone 2>", "<zone 3>"];
        var load = zones.ToDictionary(zone => zone, _ => 0);
        var names = FleetShape.Hosts(_options.Hosts);
        foreach (var instance in names.Select(Instance).OfType<ObservedInstance>())
            if (load.TryGetValue(instance.Zone, out var count)) load[instance.Zone] = count + 1;

        var hosts = new List<PlannedHost>();
        var launches = new List<Ec2Action>();
        foreach (var name in names)
        {
            var role = name == FleetShape.OrchestratorHost ? HostRole.Orchestrator : HostRole.Worker;
            var manager = FleetShape.IsManager(name, _options.Hosts);
            var front = FleetShape.IsFront(name, _options);
            if (Instance(name) is { } instance)
            {
                var kept = new PlannedHost(name, role, manager, front, instance.InstanceType, instance.Zone, instance.Id) { IsSpot = instance.IsSpot };
                hosts.Add(kept);
                PlanExisting(kept, instance);
                continue;
            }

            // Stable: of equally empty zones the first, so that managers, which come first, lie apart.
            var launching = _caller.Launching.GetValueOrDefault(name);
            var preferred = zones.OrderBy(zone => zone != SpotLaunch.ZoneOf(launching)).ThenBy(zone => load[zone]).ToList();
            load[preferred[0]]++;
            var planned = new PlannedHost(name, role, manager, front, _options.InstanceType, preferred[0], null) { IsSpot = SpotLaunch.IsAsked(name, _options, launching) };
            hosts.Add(planned);
            launches.Add(LaunchAction.Of(planned, preferred, SpotLaunch.IsOnDemandInstead(launching), (host, ids, zone, generation) =>
                Ec2Requests.Launch(_options, host, image, _names.Key, ids[Subnet(zone)], GroupsOf(host, ids), generation)));
        }

        // Ended before the launches: EC2 would answer the same request with the same instance.
        foreach (var lost in _observed.Instances.Where(instance => _options.Replace.Contains(instance.Host))) Remove(lost, $"{lost.Id}, {(lost.IsTakenBack ? "taken back by EC2" : "lost")}");
        _actions.AddRange(launches);
        return hosts;
    }

    private void PlanExisting(PlannedHost host, ObservedInstance instance)
    {
        if (instance.State is "stopped" or "stopping")
            _actions.Add(new StartAction(host.Name, instance));

        if (!instance.Groups.ToHashSet().SetEquals(GroupsOf(host, _ids)))
        {
            var isWithdrawal = !host.Front && instance.Groups.Contains(_ids[_names.Front]);
            _actions.Add(new SimpleAction(ActionKind.Change, host.Name, $"security groups of {instance.Id}{(isWithdrawal ? ", once the new version serves" : "")}",
                ids => Ec2Requests.SetGroups(instance.Id, GroupsOf(host, ids)))
            { IsWithdrawal = isWithdrawal });
        }

        // Image and ttl are what the host was started with, whatever is asked for now.
        PlanTags(host.Name, [instance.Id, .. instance.Attached], instance.Tags, Ec2Requests.Tags(_options with { Ttl = null, End = null }, host, instance.ImageId));

        if (instance.InstanceType != _options.InstanceType) Differs("instance type", instance.InstanceType, _options.InstanceType);
        if (instance.IsSpot != FleetShape.IsSpot(host.Name, _options))
            Differs("way of paying", instance.IsSpot ? "on spot" : "on demand", instance.IsSpot ? "on demand" : "on spot");
        if (_options.ImageId is { } image && instance.ImageId != image) Differs("image", instance.ImageId, image);
        if (instance.Disks.Count > 0 && instance.Disks.All(disk => disk.GiB != _diskGiB))
            Differs("disk", string.Join(" and ", instance.Disks.Select(disk => Gib(disk.GiB))), Gib(_diskGiB));
        var ttl = instance.Tags.GetValueOrDefault(LabTags.Ttl) ?? "never";
        if (_options.Ttl is { } wanted && ttl != Durations.Text(wanted)) _notes.Add($"{host.Name} keeps the end of its own that it has ({ttl}, not {Durations.Text(wanted)}): 'ttl {Durations.Text(wanted)}' changes it.");

        static string Gib(int size) => string.Create(CultureInfo.InvariantCulture, $"{size} GiB");

        void Differs(string what, string is_, string asked) =>
            _notes.Add($"{host.Name} keeps the {what} it was started with ({is_}, not {asked}): that does not change; 'publish --replace {host.Name}' puts another host in its place.");
    }

    private void PlanTags(string subject, IReadOnlyList<string> resources, IReadOnlyDictionary<string, string>? observed, IEnumerable<Tag> wanted) =>
        _actions.AddRange(TagActions.Of(_options, subject, resources, observed, wanted));

    private void PlanSurplus()
    {
        var names = FleetShape.Hosts(_options.Hosts).ToHashSet();
        foreach (var instance in _observed.Instances.Where(instance => !_options.Replace.Contains(instance.Host)))
        {
            if (names.Contains(instance.Host))
            {
                if (Instance(instance.Host)!.Id != instance.Id) Remove(instance, $"{instance.Id}, a second {instance.Host}");
            }
            else if (FleetShape.WorkerHostNumber(instance.Host) is not null)
            {
                Remove(instance, $"{instance.Id}, drained first");
            }
            else
            {
                _notes.Add($"{instance.Id} has the deployment's tag but is none of its hosts ('{instance.Host}'): it is left alone until 'destroy'.");
            }
        }
    }

    private void Remove(ObservedInstance instance, string detail) =>
        _actions.Add(new SimpleAction(ActionKind.Remove, instance.Host, detail, _ => Ec2Requests.Terminate(instance.Id)));

    // Of several instances with one name the oldest is the host: the others came of launches that crossed.
    private ObservedInstance? Instance(string host) => _observed.Instances
        .Where(instance => instance.Host == host && !_options.Replace.Contains(host))
        .OrderBy(instance => instance.LaunchedAt).ThenBy(instance => instance.Id, StringComparer.Ordinal)
        .FirstOrDefault();

    private IReadOnlyList<string> GroupsOf(PlannedHost host, Ec2Ids ids) => host.Front ? [ids[_names.Fleet], ids[_names.Front]] : [ids[_names.Fleet]];

    private static string Subnet(string zone) => $"default subnet in {zone.Trim('<', '>')}";
}

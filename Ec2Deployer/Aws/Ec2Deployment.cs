using Amazon.EC2;
using Amazon.Runtime;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>A deployment at EC2: planned, provisioned, found again, removed.</summary>
internal sealed class Ec2Deployment
{
    private readonly DeploymentDirectory _directory;
    private readonly Ec2Pace _pace;
    private readonly TimeProvider _time;
    private readonly Ec2Observer _observer;
    private readonly Ec2LaunchChecks _checks;
    private readonly Ec2Executor _executor;
    private readonly Ec2Addresses _addresses;
    private readonly HostWait _wait;
    private readonly Ec2Destroyer _destroyer;
    private readonly Action<string>? _note;
    private SshKey? _key;
    private bool _isBrought;
    private bool _toldOfDisks;

    /// <param name="ec2">The region's client.</param>
    /// <param name="directory">What this machine keeps of the deployment.</param>
    /// <param name="pace">How often EC2 is asked.</param>
    /// <param name="time">The clock of every wait.</param>
    /// <param name="note">Told where EC2 does not answer for long.</param>
    public Ec2Deployment(IAmazonEC2 ec2, DeploymentDirectory directory, Ec2Pace pace, TimeProvider time, Action<string>? note = null)
    {
        var calls = new Ec2Calls(ec2, pace, time, note);
        (_directory, _pace, _time, _note) = (directory, pace, time, note);
        _observer = new Ec2Observer(calls);
        _checks = new Ec2LaunchChecks(calls);
        _addresses = new Ec2Addresses(calls);
        _executor = new Ec2Executor(calls, _observer, Launching);
        _wait = new HostWait(calls, _observer);
        _destroyer = new Ec2Destroyer(calls, _observer);
        Life = new Ec2Life(calls, _observer);
    }

    /// <summary>Stops its hosts, starts them, and sets their end.</summary>
    public Ec2Life Life { get; }

    /// <summary>The plan against what exists. Changes nothing, here or at EC2.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="callerAddress">The caller's public address, or null where both doors are given as options.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <param name="snapshot">What <see cref="FindAsync"/> found, where nothing has changed since; null: EC2 is asked.</param>
    public async Task<DeploymentPlan> PlanAsync(
        DeploymentOptions options, string? callerAddress, CancellationToken cancellationToken, DeploymentSnapshot? snapshot = null)
    {
        var observed = await _observer.ObserveAsync(options, cancellationToken, snapshot?.Observed);
        var caller = new CallerFacts(callerAddress, PublicKey()) { Launching = Places(_directory.ReadState()) };
        var plan = DeploymentPlanner.Plan(options, observed, caller);
        // What only a launch needs is asked for where there is one.
        if (plan.Actions.OfType<LaunchAction>().Any())
            plan = DeploymentPlanner.Plan(options, await _checks.CheckAsync(options, observed, cancellationToken), caller);
        var addresses = plan.Actions.OfType<AllocateAction>().Count();
        return addresses > 0 && await _addresses.RequireRoomAsync(options, addresses, cancellationToken) is { } unchecked_ ? plan with { Notes = [.. plan.Notes, unchecked_] } : plan;
    }

    /// <summary>The plan that is about to be executed: EC2 has said that the account may do what starts hosts. Changes nothing at EC2.</summary>
    /// <inheritdoc cref="PlanAsync"/>
    /// <exception cref="DeploymentException">EC2 refuses something that the plan needs.</exception>
    public async Task<DeploymentPlan> PreparePlanAsync(
        DeploymentOptions options, string? callerAddress, CancellationToken cancellationToken, DeploymentSnapshot? snapshot = null)
    {
        await DraftKeyAsync(options, snapshot, cancellationToken);
        var plan = await PlanAsync(options, callerAddress, cancellationToken, snapshot);
        // Nobody is to agree to a price and then be refused.
        Ec2Life.RequireAhead(plan, _time.GetUtcNow());
        if (plan.Starting.Count > 0 || plan.Actions.OfType<AllocateAction>().Any()) await _checks.RequirePermissionsAsync(plan, cancellationToken);
        return plan;
    }

    /// <summary>Makes the hosts exist and run. Where they do, nothing is changed.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="callerAddress">The caller's public address, or null where both doors are given as options.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellationToken">Stops between two calls.</param>
    /// <param name="snapshot">What <see cref="FindAsync"/> found, where nothing has changed since; null: EC2 is asked.</param>
    public async Task<Provisioned> ProvisionAsync(
        DeploymentOptions options, string? callerAddress, IProgressSink progress, CancellationToken cancellationToken, DeploymentSnapshot? snapshot = null)
    {
        await DraftKeyAsync(options, snapshot, cancellationToken);
        KeepKey();
        return await ProvisionAsync(await PlanAsync(options, callerAddress, cancellationToken, snapshot), progress, cancellationToken);
    }

    /// <summary>Takes a key in place of the one on this machine: plans are made with it, and <see cref="KeepKey"/> keeps it.</summary>
    public void Bring(SshKey key) => (_key, _isBrought) = (key, true);

    /// <summary>Writes the key that plans were made with, where it is not on this machine yet: until then nothing is left behind.</summary>
    /// <returns>The name of another one that was in its place, or null.</returns>
    /// <exception cref="DeploymentException">It cannot be written, or another run has made one meanwhile.</exception>
    public string? KeepKey()
    {
        if (_key is not { } key) return null;
        _key = null;
        if (!_isBrought && DeploymentKey.PublicKey(_directory) is not null)
            throw new DeploymentException(ExitCode.Failed, $"Another run has made the SSH key {_directory.PrivateKeyFile} meanwhile. Nothing was changed. Run the same command again.");
        return DeploymentKey.Keep(_directory, key);
    }

    // A new key would only hide that the hosts' own is not here.
    private async Task DraftKeyAsync(DeploymentOptions options, DeploymentSnapshot? snapshot, CancellationToken cancellationToken)
    {
        if (PublicKey() is not null) return;
        var found = snapshot ?? await FindAsync(options, cancellationToken);
        if (found.Observed is { Key: not null, Instances.Count: > 0 }) throw DeploymentPlanner.OtherKey(options);
        _key = DeploymentKey.Make();
    }

    private string? PublicKey() => _key?.PublicKey ?? DeploymentKey.PublicKey(_directory);

    /// <summary>Takes hosts that run no orchestrator any more from clients, once the release serves.</summary>
    /// <param name="plan">The plan that was executed but for this.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellationToken">Stops between two calls; the next publish does the rest.</param>
    public Task WithdrawAsync(DeploymentPlan plan, IProgressSink progress, CancellationToken cancellationToken) =>
        _executor.ApplyAsync(plan with { Actions = [.. plan.Actions.Where(action => action.IsWithdrawal)] }, progress, cancellationToken);

    /// <summary>Makes the hosts of a plan exist and run. What takes hosts from clients is left to <see cref="WithdrawAsync"/>.</summary>
    /// <param name="plan">A plan that was made from what exists now.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellationToken">Stops between two calls.</param>
    public async Task<Provisioned> ProvisionAsync(DeploymentPlan plan, IProgressSink progress, CancellationToken cancellationToken)
    {
        Ec2Life.RequireAhead(plan, _time.GetUtcNow());
        var calls = await _executor.ApplyAsync(plan with { Actions = [.. plan.Actions.Where(action => !action.IsWithdrawal)] }, progress, cancellationToken);
        var state = _directory.ReadState();
        var keys = new Dictionary<string, string>(state.HostKeys);
        IReadOnlyList<DeployedHost> hosts;
        try
        {
            hosts = await _wait.ReadyAsync(plan, keys, progress, cancellationToken);
        }
        catch when (keys.Count > state.HostKeys.Count)
        {
            // The consoles of some may have shown theirs: they can be spoken to, whatever became of the others.
            _directory.WriteState(_directory.ReadState() with { HostKeys = keys });
            throw;
        }

        // Those of instances that are gone go with them.
        keys = keys.Where(key => hosts.Any(host => host.InstanceId == key.Key)).ToDictionary();
        if (state.Launching.Count > 0 || !keys.ToHashSet().SetEquals(state.HostKeys)) _directory.WriteState(state with { HostKeys = keys, Launching = [], LaunchingSince = null });
        return new Provisioned(plan, hosts, calls);
    }

    private void Launching(string host, string place)
    {
        var state = _directory.ReadState();
        _directory.WriteState(state with { Launching = new(state.Launching) { [host] = place }, LaunchingSince = _time.GetUtcNow() });
    }

    // What EC2 would show by now it does not have: then there may be a spot instance again.
    private Dictionary<string, string> Places(DeploymentState state) => state.LaunchingSince is { } since && _time.GetUtcNow() - since < _pace.Consistency
        ? state.Launching
        : state.Launching.ToDictionary(place => place.Key, place => SpotLaunch.ZoneOf(place.Value)!);

    /// <summary>The deployment's instances, and the hosts among them that run, for commands that change nothing at EC2.</summary>
    public async Task<DeploymentSnapshot> FindAsync(DeploymentOptions options, CancellationToken cancellationToken)
    {
        ObservedDeployment observed;
        try
        {
            observed = await _observer.ExistingAsync(options, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "asking EC2 which hosts run", options, left: null);
        }

        Ownership.Check(options, observed.IsNothing, observed.Others);
        if (observed.DisksRefused && !_toldOfDisks)
        {
            _toldOfDisks = true;
            _note?.Invoke($"The account does not allow ec2:DescribeVolumes: each host's disk is taken to have {options.DiskGiB} GiB, as the options say, and disks of no host are not seen.");
        }

        var keys = _directory.ReadState().HostKeys;
        // Where each of three managers runs an orchestrator there are two worker hosts at least, whichever of them exist now.
        var managing = options.Orchestrators > 1 ? FleetShape.ManagingWorkerHosts : 0;
        var workers = observed.Instances.Select(instance => FleetShape.WorkerHostNumber(instance.Host) ?? 0).DefaultIfEmpty().Max();
        var hosts = observed.Instances
            .Where(instance => instance.State == "running" && HostWait.Address(options, instance) is not null && instance.PrivateAddress is not null)
            .Where(instance => instance.Host == FleetShape.OrchestratorHost || FleetShape.WorkerHostNumber(instance.Host) is not null)
            .GroupBy(instance => instance.Host)
            .Select(same => same.MinBy(instance => (instance.LaunchedAt, instance.Id))!)
            .OrderBy(instance => FleetShape.WorkerHostNumber(instance.Host) ?? 0)
            .Where(instance => options.AcceptNewHostKey || keys.ContainsKey(instance.Id))
            .Select(instance => new DeployedHost(
                instance.Host,
                instance.Host == FleetShape.OrchestratorHost ? HostRole.Orchestrator : HostRole.Worker,
                FleetShape.IsManager(instance.Host, Math.Max(workers, managing)),
                instance.Id, HostWait.Address(options, instance)!, instance.PrivateAddress!, options.SshPort, options.SshUser,
                keys.GetValueOrDefault(instance.Id))
            { Bastion = options.Bastion })
            .ToList();
        return new DeploymentSnapshot(observed, hosts, workers);
    }

    /// <summary>Reads the keys of running hosts that are not known yet from their consoles: a run that broke off has left them so.</summary>
    /// <returns>What <see cref="FindAsync"/> gives then.</returns>
    /// <exception cref="DeploymentException">A console shows none in time.</exception>
    public async Task<DeploymentSnapshot> PinAsync(DeploymentOptions options, DeploymentSnapshot found, IProgressSink progress, CancellationToken cancellationToken)
    {
        var state = _directory.ReadState();
        var keys = new Dictionary<string, string>(state.HostKeys);
        var running = found.Instances.Where(instance => instance.State == "running").DistinctBy(instance => instance.Host).ToList();
        if (options.AcceptNewHostKey || running.TrueForAll(instance => keys.ContainsKey(instance.Id))) return found;
        try
        {
            await _wait.PinAsync(options, running, keys, progress, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "reading host keys", options, "The hosts run and cost money until 'destroy'.");
        }
        finally
        {
            if (keys.Count > state.HostKeys.Count) _directory.WriteState(_directory.ReadState() with { HostKeys = keys });
        }

        return await FindAsync(options, cancellationToken);
    }

    /// <summary>The last lines that a host wrote to its console, or nothing: for hosts that SSH does not reach.</summary>
    public async Task<string> ConsoleAsync(string instanceId, int lines, CancellationToken cancellationToken)
    {
        try
        {
            return string.Join('\n', (await _wait.ConsoleAsync(instanceId, cancellationToken)).Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).TakeLast(lines));
        }
        catch (Exception e) when (e is AmazonClientException or HttpRequestException)
        {
            // It is wanted to explain another failure, which counts.
            return "";
        }
    }

    /// <summary>What <see cref="RemoveAsync"/> would remove. Waits for what was asked for so short a time ago that EC2 may not show it yet.</summary>
    /// <exception cref="DeploymentException">It is somebody else's.</exception>
    public async Task<Belongings> BelongingsAsync(DeploymentOptions options, CancellationToken cancellationToken, IProgressSink? progress = null)
    {
        var belongings = await _destroyer.ListAsync(options, cancellationToken);
        Ownership.Check(options, belongings.IsNothing, belongings.Others);
        var state = _directory.ReadState();
        if (state.LaunchingSince is not { } since || Missing().Length == 0 || _time.GetUtcNow() - since >= _pace.Consistency) return belongings;
        using var step = (progress ?? NoProgress.Instance).Begin("waiting for EC2 to show what was just asked for");
        step.Say(Missing());
        while (Missing().Length > 0 && _time.GetUtcNow() - since < _pace.Consistency)
        {
            await Task.Delay(_pace.Poll, _time, cancellationToken);
            belongings = await _destroyer.ListAsync(options, cancellationToken);
        }

        step.Done(Missing() is { Length: > 0 } never ? $"{never}: never started" : "shown");
        return belongings;

        string Missing() => string.Join(", ", state.Launching.Keys.Where(host => !belongings.Seen.Any(instance => instance.Host == host)));
    }

    /// <summary>Removes everything at EC2.</summary>
    public Task RemoveAsync(DeploymentOptions options, Belongings belongings, IProgressSink progress, CancellationToken cancellationToken) =>
        _destroyer.DestroyAsync(options, belongings, progress, cancellationToken);
}

/// <summary>Hosts that exist and run.</summary>
/// <param name="Plan">The plan that was executed.</param>
/// <param name="Hosts">All hosts, the orchestrator's first.</param>
/// <param name="Calls">How many calls changed something; 0 where everything was as it should be.</param>
internal sealed record Provisioned(DeploymentPlan Plan, IReadOnlyList<DeployedHost> Hosts, int Calls)
{
    /// <summary>Names of the hosts that this run created.</summary>
    public IReadOnlyList<string> Created { get; } = [.. Plan.Actions.OfType<LaunchAction>().Select(launch => launch.Host.Name)];
}

/// <summary>What EC2 shows of a deployment at one moment.</summary>
/// <param name="Observed">Its instances, groups and key pair.</param>
/// <param name="Hosts">The running ones whose host keys are known, the orchestrator's first.</param>
/// <param name="WorkerHosts">The highest number of a worker host: hosts below it that are missing have died.</param>
internal sealed record DeploymentSnapshot(ObservedDeployment Observed, IReadOnlyList<DeployedHost> Hosts, int WorkerHosts)
{
    /// <summary>All instances that have not ended.</summary>
    public IReadOnlyList<ObservedInstance> Instances => Observed.Instances;
}

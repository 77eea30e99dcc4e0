using Lab.ServiceDefaults.Contracts;
using Microsoft.Extensions.Logging;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// Every worker and whether it may get work: free ones by how long they have been idle, quarantined ones by when to
/// probe them next. Owned by the dispatcher's loop; no member may be called from elsewhere.
/// </summary>
internal sealed partial class WorkerTable(OrchestratorOptions options, TimeProvider time, Random jitter, ILogger logger, string id)
{
    /// <summary>A trusted worker may miss this many probes in a row less one: a busy machine is slow, not broken.</summary>
    private const int MissedProbesAllowed = 2;

    private static readonly TimeSpan HoldMin = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan HoldMax = TimeSpan.FromMilliseconds(25);

    private readonly Dictionary<string, WorkerNode> _nodes = new(StringComparer.Ordinal);
    private readonly LinkedList<WorkerNode>[] _idle = [new(), new(), new()];
    private volatile ModelInfo? _model;
    private ModelOutput _fleetOutput = ModelOutput.Unknown;
    private volatile WorkerCounts _counts = new(0, 0, 0);

    /// <summary>By what other orchestrators know this one.</summary>
    public string Id => id;

    public IReadOnlyCollection<WorkerNode> All => _nodes.Values;

    /// <summary>How many workers are neither quarantined nor draining.</summary>
    public int AliveCount { get; private set; }

    public int BusyCount { get; private set; }

    /// <summary>The model that the fleet serves; <c>null</c> until a worker has told. May be read from elsewhere.</summary>
    public ModelInfo? Model => _model;

    /// <summary>How many workers get work and how many do not. May be read from elsewhere.</summary>
    public WorkerCounts Counts => _counts;

    /// <summary>
    /// What a worker's answers are made of: those of its model, or of the fleet's where it tells none. A client of the
    /// fleet asks one model, whoever answers.
    /// </summary>
    public ModelOutput OutputOf(WorkerNode node) => node.Model is not null ? node.Output : _fleetOutput;

    public WorkerNode? Find(string name) => _nodes.GetValueOrDefault(name);

    /// <summary>Takes over a new list of workers: new ones are probed at once, missing ones drained and then forgotten.</summary>
    public void Set(IReadOnlyDictionary<string, Uri> addresses)
    {
        var now = time.GetTimestamp();
        foreach (var node in _nodes.Values.Where(node => !addresses.ContainsKey(node.Name)).ToList())
        {
            WorkerTableLog.Removed(logger, node.Name);
            node.Removed = true;
            Change(node, draining: true);
            Forget(node);
        }

        foreach (var (name, address) in addresses)
        {
            if (!_nodes.TryGetValue(name, out var node))
            {
                _nodes.Add(name, new(name, address) { NextProbeAt = now, QuarantinedAt = now });
                WorkerTableLog.Added(logger, name, address);
                continue;
            }

            var returned = node.Removed;
            node.Removed = false;
            if (returned) Change(node, draining: false);
            if (node.Address == address) continue;
            WorkerTableLog.Moved(logger, name, address);
            node.Address = address;
            node.Probing = node.AskingPresence = false;
            node.NextProbeAt = now;
            Distrust(node);
            (node.Presence, node.Leaving) = (null, null);
        }

        Count();
        _reviewAt = now;
    }

    /// <summary>Sets one of the two things that keep a worker from getting work.</summary>
    public void Change(WorkerNode node, bool? quarantined = null, bool? draining = null)
    {
        var wasAlive = node.IsAlive;
        if (quarantined is true && !node.Quarantined) node.QuarantinedAt = time.GetTimestamp();
        node.Quarantined = quarantined ?? node.Quarantined;
        node.Draining = draining ?? node.Draining;
        Changed(node, wasAlive);
    }

    private void Changed(WorkerNode node, bool wasAlive)
    {
        AliveCount += (node.IsAlive ? 1 : 0) - (wasAlive ? 1 : 0);
        Place(node);
        Count();
    }

    /// <summary>The worker starts on a call.</summary>
    public void Occupy(WorkerNode node, DispatchCall call)
    {
        node.Current = call;
        BusyCount++;
        if (node.Ownership is Ownership.Others) _borrowed++;
        Place(node);
    }

    /// <summary>The worker's call is over.</summary>
    public void Release(WorkerNode node)
    {
        node.Current = null;
        BusyCount--;
        if (node.Ownership is Ownership.Others) _borrowed--;
        Place(node);
        Forget(node);
    }

    /// <summary>A dispatch failed: no work until a probe finds the worker healthy, the first one after a backoff.</summary>
    public void Quarantine(WorkerNode node, string reason)
    {
        SendAway(node, reason);
        Distrust(node);
    }

    /// <summary>Takes the result of a probe of the worker at <paramref name="address"/>.</summary>
    public void Probed(WorkerNode node, Uri address, string? failure, ModelInfo? model = null)
    {
        if (node.Address != address) return;
        node.Probing = false;
        node.NextProbeAt = time.GetTimestamp() + Ticks(Jittered(options.ProbeInterval));
        if (failure is null)
        {
            node.MissedProbes = 0;
            if (node.Quarantined) Recover(node, model);
        }
        else if (node.Quarantined)
        {
            Delay(node);
            node.LastError = failure;
            WorkerTableLog.StillQuarantined(logger, node.Name, failure);
            Distrust(node);
        }
        else if (node.Current is null && ++node.MissedProbes >= MissedProbesAllowed)
        {
            node.MissedProbes = 0;
            Quarantine(node, failure);
        }
    }

    // It is well; whether it gets work depends on what the others serve, and what it serves may decide on others.
    private void Recover(WorkerNode node, ModelInfo? model)
    {
        node.Model = model;
        if (model is not null)
        {
            var before = _model;
            _model = FleetModel.Choose(_nodes.Values, before);
            if (before is null || !before.IsSameModel(_model!)) WorkerTableLog.FleetModel(logger, _model!.ModelId, _model.ModelSha);
        }

        if (!IsOther(node))
        {
            node.HasOtherModel = false;
            WorkerTableLog.Healthy(logger, node.Name);
            Trust(node);
        }
        else if (!node.HasOtherModel) SendAway(node, OtherModel(node));
        else Delay(node);

        node.HasOtherModel = IsOther(node);
        foreach (var other in _nodes.Values.Where(other => other != node))
        {
            if (other.HasOtherModel && !IsOther(other))
            {
                other.HasOtherModel = false;
                WorkerTableLog.Healthy(logger, other.Name);
                Trust(other);
            }
            else if (!other.Quarantined && IsOther(other))
            {
                other.HasOtherModel = true;
                SendAway(other, OtherModel(other));
            }
        }
    }

    private void Trust(WorkerNode node)
    {
        Change(node, quarantined: false);
        // Whether it will be gone, and who shares it, is asked at once.
        _reviewAt = node.NextPresenceAt = time.GetTimestamp();
    }

    private bool IsOther(WorkerNode node) => node.Model is { } model && !model.IsSameModel(_model!);

    private string OtherModel(WorkerNode node) =>
        $"it serves the model {FleetModel.Describe(node.Model!)}, and most others serve {FleetModel.Describe(_model!)}";

    private void SendAway(WorkerNode node, string reason)
    {
        var backoff = Delay(node);
        node.LastError = reason;
        node.BatchLimit = 1;
        WorkerTableLog.Quarantined(logger, node.Name, backoff.TotalMilliseconds, reason);
        Change(node, quarantined: true);
    }

    private TimeSpan Delay(WorkerNode node)
    {
        node.ConsecutiveFailures++;
        var backoff = Backoff(node.ConsecutiveFailures);
        node.NextProbeAt = time.GetTimestamp() + Ticks(backoff);
        return backoff;
    }

    // What runs there after it has failed or moved may be another program: it has no say until it is well again.
    private void Distrust(WorkerNode node)
    {
        node.Model = null;
        node.HasOtherModel = false;
        Change(node, quarantined: true);
    }

    public Dictionary<string, WorkerStatus> Snapshot() => _nodes.Values.ToDictionary(
        node => node.Name,
        node => new WorkerStatus(node.Address.Host, node.Address.Port, node.Status, node.Completed, node.Failed, Reason: node.Reason));

    public long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private void Place(WorkerNode node)
    {
        var place = node.CanWork ? _idle[(int)node.Ownership] : null;
        if (node.IdlePlace.List == place) return;
        node.IdlePlace.List?.Remove(node.IdlePlace);
        place?.AddLast(node.IdlePlace);
    }

    private void Forget(WorkerNode node)
    {
        if (node is { Removed: true, Current: null } && _nodes.Remove(node.Name)) Count();
    }

    // Whenever a worker comes or goes, so that no dispatch looks at all of them.
    private void Count()
    {
        _counts = new(AliveCount, _nodes.Values.Count(node => node.Quarantined), _nodes.Values.Count(node => node is { Quarantined: false, IsAlive: false }));
        (_ownAlive, _commonAlive) = (CountAlive(Ownership.Own), CountAlive(Ownership.Common));
        if (_ownAlive + _commonAlive == 0) EndHoldsOfOthers();
        _fleetOutput = _nodes.Values.FirstOrDefault(node => node.IsAlive && node.Model is not null)?.Output ?? ModelOutput.Unknown;
    }

    private int CountAlive(Ownership whose) => _nodes.Values.Count(node => node.IsAlive && node.Ownership == whose);

    private TimeSpan Backoff(int failures)
    {
        var doubled = options.QuarantineMin * Math.Pow(2, Math.Min(failures - 1, 30));
        return Jittered(doubled < options.QuarantineMax ? doubled : options.QuarantineMax);
    }

    // A fifth more or less, so that eight workers lost at once are not probed at once for ever.
    private TimeSpan Jittered(TimeSpan span) => span * (0.8 + 0.4 * jitter.NextDouble());
}

/// <summary>How many workers there are in each state that lasts.</summary>
/// <param name="Alive">Those that get work, free or busy.</param>
/// <param name="Quarantined">Those not trusted.</param>
/// <param name="Draining">Those trusted and yet to get no work.</param>
internal sealed record WorkerCounts(int Alive, int Quarantined, int Draining);

using System.Globalization;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// Tells of a service's rollout host by host: which one changes, from what to what, what it is at, and how many are done.
/// A host of which nothing changes is not spoken of.
/// </summary>
/// <param name="progress">Told of each host.</param>
/// <param name="service">The service.</param>
/// <param name="change">What it changes to, such as <c>1a2b → 3c4d</c>.</param>
/// <param name="hosts">The hosts' names by node.</param>
/// <param name="time">The clock.</param>
internal sealed class RolloutTelling(IProgressSink progress, string service, string change, IReadOnlyDictionary<string, string> hosts, TimeProvider time) : IDisposable
{
    private readonly Dictionary<string, (IProgressStep Step, string Phase, long Since)> _changing = [];
    private HashSet<string>? _done;

    /// <summary>Tells what has happened since the last time.</summary>
    /// <param name="state">The service as it is.</param>
    /// <param name="spec">The hash of the description that it is to have.</param>
    /// <param name="expected">On how many hosts.</param>
    public void Tell(ServiceState state, string spec, int expected)
    {
        var phases = Phases(state, spec);
        // The service is taken from this host: there is no task any more.
        foreach (var node in _changing.Keys.Where(node => !phases.ContainsKey(node)).ToList()) Say(node, "stopped");
        _done ??= [.. phases.Where(phase => phase.Value is null).Select(phase => phase.Key)];
        foreach (var (node, phase) in phases)
        {
            if (phase is not null)
            {
                _done.Remove(node);
                Say(node, phase);
            }
            else if (_done.Add(node))
            {
                // It may have come and gone between two looks.
                var step = _changing.Remove(node, out var changing) ? changing.Step : Begin(node);
                step.Done(string.Create(CultureInfo.InvariantCulture, $"healthy, {_done.Count} of {expected}"));
                step.Dispose();
            }
        }
    }

    /// <summary>The service is as it is to be: where a host has lost it, that is done.</summary>
    public void Settled()
    {
        foreach (var (step, _, _) in _changing.Values)
        {
            step.Done("no longer its host");
            step.Dispose();
        }

        _changing.Clear();
    }

    /// <summary>What is at work on each node; null: it runs what it is to run, and is healthy.</summary>
    internal static IReadOnlyDictionary<string, string?> Phases(ServiceState state, string spec)
    {
        var phases = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var tasks in state.Tasks.Where(task => task.Node.Length > 0).GroupBy(task => task.Node))
        {
            var next = tasks.Where(task => task.Spec == spec && task.ShouldRun).ToList();
            if (next.Exists(task => task.State is "running")) phases[tasks.Key] = null;
            else if (next.Count > 0) phases[tasks.Key] = next[0].State is "starting" ? "waits until it is healthy" : "is started";
            else if (tasks.Any(task => !task.ShouldRun && task.Spec != spec && task.State is "running")) phases[tasks.Key] = "the old one finishes its work";
        }

        return phases;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (step, _, _) in _changing.Values) step.Dispose();
    }

    private void Say(string node, string phase)
    {
        if (!_changing.TryGetValue(node, out var changing) || changing.Phase != phase)
            _changing[node] = changing = (changing.Step ?? Begin(node), phase, time.GetTimestamp());
        // Another number each second: who reads a log sees that it goes on.
        changing.Step.Say(string.Create(CultureInfo.InvariantCulture, $"{phase}, {time.GetElapsedTime(changing.Since).TotalSeconds:F0} s"));
    }

    private IProgressStep Begin(string node) => progress.Begin($"{service} {change}", hosts.GetValueOrDefault(node, node));
}

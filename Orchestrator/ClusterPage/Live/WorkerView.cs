using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>A worker as its tile shows it. Equal ones look the same, and are not drawn again.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Host">The machine it runs on.</param>
/// <param name="Port">Its port.</param>
/// <param name="Status">free, busy, quarantined or draining.</param>
/// <param name="Completed">Texts it has answered.</param>
/// <param name="Failed">Dispatches that failed at it.</param>
/// <param name="LastError">Why it is quarantined.</param>
/// <param name="Texts">How many texts it computes now.</param>
/// <param name="Text">The first of them, shortened.</param>
/// <param name="ComputingMs">For how long, in milliseconds.</param>
/// <param name="MedianMs">Median of its last inference times, in milliseconds; <c>null</c> before the first.</param>
/// <param name="Draining">Whether somebody has drained it, be it well or not.</param>
/// <param name="Reason">Why it drains, where it is the worker that has said so.</param>
public sealed record WorkerView(
    string Name,
    string Host,
    int Port,
    string Status,
    long Completed,
    long Failed,
    string? LastError,
    int Texts,
    string? Text,
    double ComputingMs,
    float? MedianMs,
    bool Draining,
    string? Reason = null)
{
    internal static WorkerView Of(WorkerSnapshot snapshot) => new(
        snapshot.Name, snapshot.Host, snapshot.Port, snapshot.Status, snapshot.Completed, snapshot.Failed, snapshot.LastError, snapshot.Texts, snapshot.Text, snapshot.ComputingMs,
        Median(snapshot.InferenceMs), snapshot.Draining, snapshot.Reason);

    private static float? Median(float[] times)
    {
        if (times.Length == 0) return null;
        Array.Sort(times);
        var middle = times.Length / 2;
        return times.Length % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
    }
}

/// <summary>A machine and the workers on it.</summary>
/// <param name="Name">The machine's name or address.</param>
/// <param name="Workers">Its workers by name.</param>
public sealed record HostView(string Name, IReadOnlyList<WorkerView> Workers);

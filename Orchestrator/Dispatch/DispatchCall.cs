using System.Diagnostics.CodeAnalysis;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>One HTTP call to a worker, with one text or a small batch.</summary>
/// <param name="number">The call's place in the order of dispatch, from 1.</param>
/// <param name="worker">The worker that computes.</param>
/// <param name="entries">What it computes, in order of arrival; at least one.</param>
/// <param name="startedAt">Clock reading at the start.</param>
/// <param name="output">What answers are made of; those of the worker's own model where it is not given.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A source without timer and wait handle holds nothing to give back, and disposing it would race with Abort.")]
internal sealed class DispatchCall(long number, WorkerNode worker, IReadOnlyList<QueueEntry> entries, long startedAt, ModelOutput? output = null)
{
    private readonly CancellationTokenSource _abort = new();

    public long Number { get; } = number;

    public WorkerNode Worker { get; } = worker;

    /// <summary>Where the call goes: to where the worker was when it started.</summary>
    public Uri Address { get; } = worker.Address;

    /// <summary>Whether it is one text and nothing else, which travels in the cheapest form.</summary>
    // A mark at the start of plain text is no part of it: a text that begins with U+FEFF would lose it on the way.
    public bool IsPlain { get; } = entries is [{ Options: null } entry] && !entry.Utf8.Span.StartsWith(ByteOrderMark.Utf8);

    public IReadOnlyList<QueueEntry> Entries { get; } = entries;

    /// <summary>What answers are made of.</summary>
    public ModelOutput Output { get; } = output ?? worker.Output;

    public long StartedAt { get; } = startedAt;

    /// <summary>Cancelled when the dispatcher no longer waits for the reply.</summary>
    public CancellationToken Aborted => _abort.Token;

    public void Abort() => _abort.Cancel();
}

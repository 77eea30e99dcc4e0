using System.Diagnostics;
using System.Text;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>Where a queue entry is on its way; it only ever moves forward, or from running back to queued.</summary>
internal enum EntryState { New, Queued, Running, Done }

/// <summary>
/// One text waiting for its answer. Everything that changes is touched by the dispatcher's loop alone;
/// others await <see cref="Completion"/>.
/// </summary>
/// <param name="id">The request's identity, a UUID of version 7 (RFC 9562), made for it or its job's own.</param>
/// <param name="utf8">The text to classify, in UTF-8, not empty.</param>
/// <param name="timeout">How long the client waits for the answer; <see cref="Timeout.InfiniteTimeSpan"/> for no deadline.</param>
/// <param name="options">Where it is more than a text: how it is to be read and answered.</param>
internal sealed class QueueEntry(Guid id, ReadOnlyMemory<byte> utf8, TimeSpan timeout, TextOptions? options = null)
{
    // The entry itself, its request's state in the server, and what waits for it.
    private const int Overhead = 4 * 1024;

    private const int MaxTokens = 512;

    // A batch travels as JSON, escaped at worst sixfold: 32 such texts stay well below what a worker reads.
    private const int MaxLengthInBatch = 16 * 1024;

    private readonly TaskCompletionSource<Outcome> _completion = new();
    private readonly string? _text;
    private List<WorkerNode>? _failedOn;
    private Outcome? _outcome;

    /// <summary>An entry of a text that its client holds as a string.</summary>
    /// <param name="id">As above.</param>
    /// <param name="text">The text.</param>
    /// <param name="timeout">As above.</param>
    /// <param name="options">As above.</param>
    /// <param name="utf8">The same in UTF-8, where another entry has it already.</param>
    public QueueEntry(Guid id, string text, TimeSpan timeout, TextOptions? options = null, ReadOnlyMemory<byte> utf8 = default)
        : this(id, utf8.IsEmpty ? Encoding.UTF8.GetBytes(text) : utf8, timeout, options) => _text = text;

    public Guid Id { get; } = id;

    /// <summary>The text, as it waits: once and in UTF-8.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; } = utf8;

    /// <summary>The text; where it came in UTF-8, decoded anew each time.</summary>
    public string Text => _text ?? Encoding.UTF8.GetString(Utf8.Span);

    /// <summary>How many characters (UTF-16 code units) the text has.</summary>
    public int Length { get; } = Encoding.UTF8.GetCharCount(utf8.Span);

    /// <summary>About how many bytes it takes while it waits.</summary>
    public long Size { get; } = Overhead + utf8.Length + (2L * (options?.Pair?.Length ?? 0));

    /// <summary>Whose it is: the name of its key, empty where none is needed.</summary>
    public string Owner { get; init; } = "";

    public TextOptions? Options { get; } = options;

    public TimeSpan Timeout { get; } = timeout;

    /// <summary>The span that the request arrived under, so that queue and dispatch appear in the client's own trace.</summary>
    public ActivityContext Trace { get; } = DispatchTracing.CurrentTrace();

    /// <summary>Ends exactly once, with the answer or with the reason why there is none.</summary>
    public Task<Outcome> Completion => _completion.Task;

    public EntryState State { get; set; }

    /// <summary>Already accepted elsewhere (a job): it waits whatever the queue's length and the workers' health.</summary>
    public bool Accepted { get; init; }

    /// <summary>It travels alone: it is long, or it has failed before and shall harm nobody else.</summary>
    public bool Alone { get; set; } = utf8.Length + (options?.Pair?.Length ?? 0) > MaxLengthInBatch;

    /// <summary>
    /// About how many tokens the text has, for the budget of a batch. Word pieces of English have some four letters;
    /// no model here reads more than <see cref="MaxTokens"/>.
    /// </summary>
    public int EstimatedTokens => Math.Min(((Length + (Options?.Pair?.Length ?? 0)) / 4) + 3, MaxTokens);

    /// <summary>The entry's place in the order of arrival, from 1.</summary>
    public long Arrival { get; set; }

    /// <summary>Clock reading at acceptance and at the deadline (<see cref="long.MaxValue"/> for none), in the clock's ticks.</summary>
    public long AcceptedAt { get; set; }

    public long DeadlineAt { get; set; } = long.MaxValue;

    /// <summary>Time between acceptance and the last dispatch.</summary>
    public TimeSpan Waited { get; set; }

    /// <summary>Dispatches that carried this entry and were not turned away by a busy worker.</summary>
    public int Attempts { get; set; }

    /// <summary>The worker of the last dispatch; <c>null</c> before the first.</summary>
    public string? LastWorker { get; set; }

    public IReadOnlyList<WorkerNode> FailedOn => _failedOn ?? (IReadOnlyList<WorkerNode>)[];

    /// <summary>The worker that has refused the text, and waits for another's word on it.</summary>
    public WorkerNode? RefusedBy { get; set; }

    /// <summary>Whether not every worker may have it.</summary>
    public bool IsChoosy => _failedOn is not null || RefusedBy is not null;

    /// <summary>Whether a worker has failed with it or refused it.</summary>
    public bool WasAt(WorkerNode worker) => worker == RefusedBy || _failedOn?.Contains(worker) == true;

    /// <summary>Whether it is counted in the queue's room.</summary>
    public bool TakesRoom { get; set; }

    /// <summary>Tells the dispatcher that the client no longer waits.</summary>
    public Action<QueueEntry>? HangUp { get; set; }

    public QueueEntry? Next { get; set; }

    public QueueEntry? Previous { get; set; }

    public void AddFailure(WorkerNode worker)
    {
        _failedOn ??= [];
        if (!_failedOn.Contains(worker)) _failedOn.Add(worker);
    }

    /// <summary>Settles how the entry has ended.</summary>
    /// <exception cref="InvalidOperationException">It has ended before.</exception>
    public void End(Outcome outcome)
    {
        if (_outcome is not null) throw new InvalidOperationException($"Request {Id} ends twice.");
        State = EntryState.Done;
        _outcome = outcome;
    }

    /// <summary>Tells whoever awaits <see cref="Completion"/>, who goes on within this call.</summary>
    public void Publish() => _completion.SetResult(_outcome!);
}

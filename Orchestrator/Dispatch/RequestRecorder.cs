using System.Text;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// Remembers the last requests and counts all of them. Owned by the dispatcher's loop, which comes by once for each
/// request: what it costs, one clock reading and a few writes, every request pays.
/// </summary>
internal sealed class RequestRecorder(TimeProvider time)
{
    /// <summary>How many requests are remembered.</summary>
    public const int Kept = 100;

    /// <summary>How many characters of a text are remembered: a megabyte of each would be too much.</summary>
    public const int MaxTextLength = 120;

    private const int MaxBytesPerCharacter = 4;

    private readonly EndedRequest[] _ring = new EndedRequest[Kept];
    private readonly LatencyHistogram _queue = new();
    private readonly LatencyHistogram _inference = new();
    private readonly LatencyHistogram _total = new();
    private long _ended;
    private long _answered;
    private long _failed;

    /// <summary>Remembers a request that has just ended.</summary>
    public void Add(QueueEntry entry, Outcome outcome)
    {
        var now = time.GetTimestamp();
        var answer = outcome.Answer;
        var total = entry.AcceptedAt == 0 ? 0 : time.GetElapsedTime(entry.AcceptedAt, now).TotalMilliseconds;
        ref var place = ref _ring[_ended % Kept];
        place = new(
            ++_ended,
            entry.Id,
            outcome.Kind,
            answer?.Label,
            answer?.Worker ?? entry.LastWorker,
            entry.Attempts,
            answer?.BatchSize ?? 0,
            entry.Waited.TotalMilliseconds,
            answer?.InferenceMs ?? 0,
            total,
            answer is null ? Beginning(entry) : Shorten(answer.InputText),
            entry.Length,
            entry.Trace.TraceId,
            now,
            answer is null || outcome.Problem is ProblemType.SingleLabel ? null : Verdict.Of(answer, outcome.Problem));
        if (answer is not null)
        {
            _answered++;
            _queue.Add(entry.Waited.TotalMilliseconds);
            _inference.Add(answer.InferenceMs);
            _total.Add(total);
        }
        else if (place.IsFailure) _failed++;
    }

    /// <summary>What all requests so far come to.</summary>
    public RequestTotals Totals() => new(_ended, _answered, _failed, _queue.Copy(), _inference.Copy(), _total.Copy());

    /// <summary>The last requests, the newest first.</summary>
    public EndedRequest[] Latest()
    {
        var latest = new EndedRequest[Math.Min(_ended, Kept)];
        for (var i = 0; i < latest.Length; i++) latest[i] = _ring[(_ended - 1 - i) % Kept];
        return latest;
    }

    /// <summary>The beginning of an entry's text, of which no more is decoded.</summary>
    public static string Beginning(QueueEntry entry) =>
        Shorten(Encoding.UTF8.GetString(entry.Utf8.Span[..Math.Min(entry.Utf8.Length, MaxBytesPerCharacter * (MaxTextLength + 1))]));

    /// <summary>The beginning of a text, never half of a character that needs two places.</summary>
    public static string Shorten(string text) =>
        text.Length <= MaxTextLength ? text : text[..(char.IsHighSurrogate(text[MaxTextLength - 1]) ? MaxTextLength - 1 : MaxTextLength)];
}

/// <summary>What the requests so far come to; two of these tell what happened between them.</summary>
/// <param name="Ended">Requests that have ended, however.</param>
/// <param name="Answered">Requests that were answered.</param>
/// <param name="Failed">Requests that were refused or given up.</param>
/// <param name="Queue">Time before the dispatch, of those answered.</param>
/// <param name="Inference">The worker's time, of those answered.</param>
/// <param name="Total">Time between acceptance and answer.</param>
internal sealed record RequestTotals(long Ended, long Answered, long Failed, uint[] Queue, uint[] Inference, uint[] Total);

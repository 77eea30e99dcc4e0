using System.Diagnostics;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// The spans between a request's arrival and the worker: <c>queue</c>, and one <c>dispatch</c> per attempt.
/// Names of the attributes follow OpenTelemetry's rule for an application's own: prefix <c>lab.</c>.
/// </summary>
internal static class DispatchTracing
{
    public const string SourceName = "Lab.Orchestrator";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The trace to go on with: the current one, where somebody records it here or the client sent it along.</summary>
    public static ActivityContext CurrentTrace() =>
        Activity.Current is { } current && (current.ParentId is not null || Source.HasListeners()) ? current.Context : default;

    /// <summary>Hands the client's trace on where nobody records one here (W3C Trace Context).</summary>
    public static void Forward(ActivityContext trace, HttpRequestMessage request)
    {
        if (Activity.Current is not null || trace.TraceId == default) return;
        request.Headers.TryAddWithoutValidation("traceparent", $"00-{trace.TraceId}-{trace.SpanId}-{(int)trace.TraceFlags:x2}");
        if (!string.IsNullOrEmpty(trace.TraceState)) request.Headers.TryAddWithoutValidation("tracestate", trace.TraceState);
    }

    /// <summary>
    /// Records how long each of the call's entries waited, and opens the span of the call, within the trace of its
    /// first entry and with links to the others'.
    /// </summary>
    public static Activity? Start(DispatchCall call)
    {
        Activity.Current = null;
        if (!Source.HasListeners()) return null;
        var now = DateTimeOffset.UtcNow;
        foreach (var entry in call.Entries)
        {
            // What the span is about happened before: it is opened with its past start and ended where it stands.
            using var queue = Source.StartActivity(ActivityKind.Internal, entry.Trace, name: "queue", startTime: now - entry.Waited);
            queue?.SetTag("lab.attempt", entry.Attempts);
        }

        Activity.Current = null;
        var first = call.Entries[0];
        var links = call.Entries.Skip(1).Select(entry => new ActivityLink(entry.Trace)).ToList();
        var activity = Source.StartActivity(ActivityKind.Internal, first.Trace, links: links, name: "dispatch");
        activity?.SetTag("lab.request_id", first.Id.ToString());
        activity?.SetTag("lab.worker", call.Worker.Name);
        activity?.SetTag("lab.dispatch", call.Number);
        activity?.SetTag("lab.arrival", first.Arrival);
        activity?.SetTag("lab.attempt", first.Attempts);
        activity?.SetTag("lab.batch_size", call.Entries.Count);
        return activity;
    }

    public static void End(Activity? activity, WorkerReply reply)
    {
        if (reply is WorkerReply.Failed failed) activity?.SetStatus(ActivityStatusCode.Error, failed.Reason);
        activity?.SetTag("lab.result", reply.GetType().Name.ToLowerInvariant());
    }
}

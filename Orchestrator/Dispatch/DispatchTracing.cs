using System.Diagnostics;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// The spans between a request's arrival and the worker: <c>queue</c>, and one <c>dispatch</c> per attempt, which is the
/// client's span of the call to the worker.
/// Names of the attributes follow OpenTelemetry's rule for an application's own: prefix <c>lab.</c>.
/// </summary>
internal static class DispatchTracing
{
    public const string SourceName = "Lab.Orchestrator";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The trace to go on with: the current one, where somebody records it here or the client sent it along.</summary>
    public static ActivityContext CurrentTrace() =>
        Activity.Current is { } current && (current.ParentId is not null || Source.HasListeners()) ? current.Context : default;

    /// <summary>Begins the trace of a request that came by another way than the API.</summary>
    public static Activity? StartRequest(string name)
    {
        // Not a part of whatever brought it here: a page's connection lasts for hours.
        Activity.Current = null;
        return Source.StartActivity(name, ActivityKind.Server);
    }

    /// <summary>
    /// Records how long each of the call's entries waited, and opens the span of the call, within the trace of its
    /// first entry and with links to the others'.
    /// </summary>
    public static Activity? Start(DispatchCall call, TimeProvider time)
    {
        Activity.Current = null;
        if (!Source.HasListeners()) return null;
        var now = time.GetUtcNow();
        foreach (var entry in call.Entries)
        {
            // What the span is about happened before: it is opened with its past start and ended where it stands.
            using var queue = Source.StartActivity(ActivityKind.Internal, entry.Trace, name: "queue", startTime: now - entry.Waited);
            queue?.SetTag("lab.attempt", entry.Attempts);
        }

        Activity.Current = null;
        var first = call.Entries[0];
        var links = call.Entries.Skip(1).Select(entry => new ActivityLink(entry.Trace)).ToList();
        var activity = Source.StartActivity(ActivityKind.Client, first.Trace, links: links, name: "dispatch");
        // Where it went, by OpenTelemetry's conventions; without the method, or viewers call each dispatch "HTTP POST".
        activity?.SetTag("server.address", call.Address.Host);
        activity?.SetTag("server.port", call.Address.Port);
        activity?.SetTag("lab.request_id", first.Id.ToString());
        activity?.SetTag("lab.worker", call.Worker.Name);
        activity?.SetTag("lab.dispatch", call.Number);
        activity?.SetTag("lab.arrival", first.Arrival);
        activity?.SetTag("lab.attempt", first.Attempts);
        activity?.SetTag("lab.batch_size", call.Entries.Count);
        return activity;
    }

    /// <summary>
    /// Puts the log records that are written until the result is disposed of into a request's trace, or with no request
    /// into none. The owner of the queue works for whoever has a message for it, and so under the activity of some other
    /// request, to whose trace its records would be counted.
    /// </summary>
    public static IDisposable? Within(QueueEntry? entry)
    {
        if (!Source.HasListeners()) return null;
        if (entry is null || entry.Trace == default) return new NoTrace(Activity.Current);
        // Made by no source it is exported nowhere: it only lends the records its trace.
        return new Activity("log").SetParentId(entry.Trace.TraceId, entry.Trace.SpanId, entry.Trace.TraceFlags).Start();
    }

    /// <summary>Notes the status with which the worker has answered.</summary>
    public static void Answered(Activity? activity, int status) => activity?.SetTag("http.response.status_code", status);

    public static void End(Activity? activity, WorkerReply reply)
    {
        if (reply is WorkerReply.Failed failed) activity?.SetStatus(ActivityStatusCode.Error, failed.Reason);
        activity?.SetTag("lab.result", reply.GetType().Name.ToLowerInvariant());
    }

    private sealed class NoTrace : IDisposable
    {
        private readonly Activity? _before;

        public NoTrace(Activity? before)
        {
            _before = before;
            Activity.Current = null;
        }

        public void Dispose() => Activity.Current = _before;
    }
}

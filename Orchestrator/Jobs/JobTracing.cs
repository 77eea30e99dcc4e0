using System.Diagnostics;
using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Jobs;

/// <summary>A job goes on with the trace of the request that submitted it, however much later and in whatever process.</summary>
internal static class JobTracing
{
    // As much as everybody must be able to pass on (W3C Trace Context §3.3.1.5); what is longer may be dropped, and is kept nowhere.
    private const int MaxStateLength = 512;

    private static readonly ActivitySource Source = new(DispatchTracing.SourceName);

    /// <summary>The trace to store with a job (W3C Trace Context), where somebody records it.</summary>
    public static (string? Parent, string? State) Current()
    {
        var trace = DispatchTracing.CurrentTrace();
        return trace == default ? default
            : ($"00-{trace.TraceId}-{trace.SpanId}-{(int)trace.TraceFlags:x2}", trace.TraceState is { Length: > 0 and <= MaxStateLength } state ? state : null);
    }

    /// <summary>The span <c>job</c>, which the dispatcher's spans then hang under.</summary>
    public static Activity? Start(LeasedJob job)
    {
        if (!ActivityContext.TryParse(job.TraceParent, job.TraceState, isRemote: true, out var parent)) parent = default;
        var activity = Source.StartActivity(ActivityKind.Consumer, parent, name: "job");
        activity?.SetTag("lab.request_id", job.Id.ToString());
        if (activity is not null || parent == default) return activity;
        // Nobody records spans here, but the worker's side is to see the client's trace all the same.
        return new Activity("job") { TraceStateString = job.TraceState }.SetParentId(job.TraceParent!).Start();
    }
}

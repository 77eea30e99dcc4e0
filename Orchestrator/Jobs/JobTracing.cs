using System.Diagnostics;
using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Jobs;

/// <summary>A job goes on with the trace of the request that submitted it, however much later and in whatever process.</summary>
internal static class JobTracing
{
    private static readonly ActivitySource Source = new(DispatchTracing.SourceName);

    /// <summary>The trace to store with a job (W3C Trace Context), where somebody records it.</summary>
    public static (string? Parent, string? State) Current()
    {
        var trace = DispatchTracing.CurrentTrace();
        return trace == default ? default
            : ($"00-{trace.TraceId}-{trace.SpanId}-{(int)trace.TraceFlags:x2}", string.IsNullOrEmpty(trace.TraceState) ? null : trace.TraceState);
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

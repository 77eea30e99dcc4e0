using System.Diagnostics;
using Microsoft.AspNetCore.Builder;

namespace Lab.ServiceDefaults.Telemetry;

/// <summary>
/// Goes on with a client's own trace where nobody records one here (W3C Trace Context), so that whatever this service
/// calls next still belongs to it. A request that brings no trace costs nothing.
/// </summary>
public static class ClientTrace
{
    /// <summary>Stands before whatever is to see the trace as <see cref="Activity.Current"/>.</summary>
    public static void UseClientTrace(this WebApplication app) => app.Use((context, next) =>
    {
        var headers = context.Request.Headers;
        return Activity.Current is null && headers.TraceParent is [{ } parent]
            && ActivityContext.TryParse(parent, headers.TraceState, isRemote: true, out var trace)
            ? ContinueAsync(trace, () => next(context))
            : next(context);
    });

    private static async Task ContinueAsync(ActivityContext trace, Func<Task> next)
    {
        using var activity = new Activity("request").SetParentId(trace.TraceId, trace.SpanId, trace.TraceFlags);
        activity.TraceStateString = trace.TraceState;
        activity.Start();
        await next();
    }
}

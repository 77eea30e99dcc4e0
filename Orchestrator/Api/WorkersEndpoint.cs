using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Lab.Orchestrator.Api;

/// <summary><c>GET /workers</c>: the worker table as it is now; and its drain and resume.</summary>
internal static class WorkersEndpoint
{
    public static void MapWorkers(this IEndpointRouteBuilder endpoints)
    {
        var workers = endpoints.MapGroup("/workers");
        workers.MapGet("", async Task<IResult> (Dispatcher dispatcher, WorkersFeed feed, HttpContext context) =>
            context.Request.Query.ContainsKey("stream")
                ? feed.TryOpen(context.User.Identity?.Name ?? "")
                : TypedResults.Ok(await dispatcher.GetWorkersAsync(context.RequestAborted))).Describe(Descriptions.Workers);

        var admin = workers.MapGroup("/{name}").RequireAuthorization(AccessExtensions.AdminPolicy);
        admin.MapPost("/drain", (string name, Dispatcher dispatcher, HttpContext context) => SetDrainingAsync(dispatcher, name, draining: true, context)).Describe(Descriptions.Drain);
        admin.MapPost("/resume", (string name, Dispatcher dispatcher, HttpContext context) => SetDrainingAsync(dispatcher, name, draining: false, context)).Describe(Descriptions.Resume);
    }

    private static async Task<Results<NoContent, RefusalResult>> SetDrainingAsync(Dispatcher dispatcher, string name, bool draining, HttpContext context) =>
        await dispatcher.SetDrainingAsync(name, draining, context.RequestAborted)
            ? TypedResults.NoContent()
            : new Refusal(StatusCodes.Status404NotFound, "Unknown worker", $"There is no worker named {name}.").ToResult();
}

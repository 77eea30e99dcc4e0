using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Api;

/// <summary><c>GET /workers</c>: the worker table as it is now.</summary>
internal static class WorkersEndpoint
{
    public static void MapWorkers(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/workers", async (Dispatcher dispatcher, HttpContext context) =>
            TypedResults.Ok(await dispatcher.GetWorkersAsync(context.RequestAborted)));
}

using Lab.Worker.Inference;

namespace Lab.Worker.Api;

/// <summary><c>GET /info</c>: what model is served.</summary>
internal static class InfoEndpoint
{
    /// <summary>Maps the endpoint.</summary>
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/info", IResult (ModelHost host) => host.Ready is { } model
            ? TypedResults.Json(ModelInfo.Of(model.Description), WorkerJson.Relaxed.ModelInfo)
            : NotReady.Refusal.ToProblem());
}

using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Lab.Worker.Inference;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.OpenApi;

namespace Lab.Worker.Api;

/// <summary><c>GET /presence</c>: orchestrators show themselves, and learn of each other and of how the worker is.</summary>
internal static class PresenceEndpoint
{
    /// <summary>Maps the endpoint.</summary>
    public static void MapPresence(this IEndpointRouteBuilder endpoints) =>
        // A lambda: a method's class would be its tag in the API's description.
        endpoints.MapGet(Presence.Path, (HttpContext context, KnownOrchestrators known, InferenceGate gate, Departure departure) => Get(context, known, gate, departure))
            .Describe(new("Which orchestrators share the worker, for how long it is busy, and whether it will be gone")
            {
                Id = "getPresence",
                Tag = WorkerTag.Dispatches,
                Details = "Orchestrators ask about once a second. Whoever names itself is among \"orchestrators\" for a second and a half. \"busy_ms\" is absent while nothing is computed, \"idle_ms\" while something is, and \"leaving\" as long as the worker stays.",
                Parameters = [(Presence.Parameter, ParameterLocation.Query, "Who asks: 1 to 32 letters, digits, dashes and underscores. Without it nobody is remembered.")],
                Answers = [new(200, "What is known", typeof(Presence), """{"orchestrators":["5f0c2e9a7b1d4c3e"],"busy_ms":12}""")],
                Refusals = [400],
            });

    private static Results<JsonHttpResult<Presence>, RefusalResult> Get(HttpContext context, KnownOrchestrators known, InferenceGate gate, Departure departure)
    {
        if (context.Request.Query.TryGetValue(Presence.Parameter, out var id))
        {
            if (!OrchestratorId.IsValid(id))
                return new Refusal(StatusCodes.Status400BadRequest, "No orchestrator's name", $"\"{Presence.Parameter}\" must be 1 to {OrchestratorId.MaxLength} letters, digits, dashes and underscores.").ToResult();
            known.Hear(id!);
        }

        var idle = gate.IdleMilliseconds;
        return TypedResults.Json(
            new Presence(
                known.Lately(),
                idle is null ? gate.BusyMilliseconds : null,
                idle,
                departure.Notice is { } notice ? new(notice.Reason, notice.At.UtcDateTime) : null),
            WireJson.Relaxed.Presence);
    }
}

using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>The HTTP status for each way in which a request can end without an answer.</summary>
internal static class Refusals
{
    public static Refusal Of(Outcome outcome)
    {
        if (outcome.Kind is OutcomeKind.Rejected) return Refusal.Rejected(outcome.Detail);
        var (status, title) = outcome.Kind switch
        {
            OutcomeKind.QueueFull => (StatusCodes.Status429TooManyRequests, "Queue full"),
            OutcomeKind.NoWorker => (StatusCodes.Status503ServiceUnavailable, "No worker alive"),
            OutcomeKind.DeadlinePassed => (StatusCodes.Status504GatewayTimeout, "Deadline passed"),
            OutcomeKind.Failed => (StatusCodes.Status502BadGateway, "Failed on every worker tried"),
            OutcomeKind.Canceled => (StatusCodes.Status499ClientClosedRequest, "Client closed request"),
            OutcomeKind.Stopped => (StatusCodes.Status503ServiceUnavailable, "Stopping"),
            _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome.Kind, "not a refusal"),
        };
        return new(status, title, outcome.Detail ?? title, outcome.RetryAfterSeconds);
    }
}

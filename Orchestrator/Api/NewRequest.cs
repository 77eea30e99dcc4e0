using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Jobs;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Api;

/// <summary><c>POST /new_request</c>: one text in, its answer out.</summary>
internal static class NewRequest
{
    public static void MapNewRequest(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/new_request", PostAsync).Describe(Descriptions.NewRequest);

    private static async Task<Results<Ok<RequestAnswer>, Accepted<JobDocument>, ProblemHttpResult, StatusCodeHttpResult>> PostAsync(
        HttpContext context, Dispatcher dispatcher, JobSubmission jobs, IOptions<OrchestratorOptions> options)
    {
        var hungUp = context.RequestAborted;
        var body = await TextBody.ReadAsync(context.Request, hungUp);
        if (body.Refusal is { } refusal) return refusal.ToProblem();

        var prefer = Prefer.Parse(context.Request.Headers["Prefer"], options.Value.MaxWait);
        if (prefer.RespondAsync) return await jobs.SubmitAsync(context, body, prefer);
        if (Prefer.Applied(respondAsync: false, prefer.Wait) is { } applied) context.Response.Headers["Preference-Applied"] = applied;

        var outcome = await dispatcher.SubmitAsync(new QueueEntry(body.Text!, prefer.Wait ?? options.Value.Deadline), hungUp);
        if (outcome.Kind is OutcomeKind.Answered) return TypedResults.Ok(outcome.Answer!);
        if (outcome.Kind is OutcomeKind.Canceled) return TypedResults.StatusCode(StatusCodes.Status499ClientClosedRequest);
        if (outcome.RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString(provider: null);
        return Refusals.Of(outcome).ToProblem();
    }
}

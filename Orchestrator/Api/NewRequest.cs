using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Jobs;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Lab.ServiceDefaults.Requests;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Api;

/// <summary><c>POST /new_request</c>: one text or pair of texts in, its answer out.</summary>
internal static class NewRequest
{
    public static void MapNewRequest(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var dispatcher = services.GetRequiredService<Dispatcher>();
        var jobs = services.GetRequiredService<JobSubmission>();
        var time = services.GetRequiredService<TimeProvider>();
        var options = services.GetRequiredService<IOptions<OrchestratorOptions>>().Value;
        Delegate post = (HttpContext context) => PostAsync(context, dispatcher, jobs, time, options);
        endpoints.MapPost("/new_request", post).Describe(Descriptions.NewRequest).WithFastPath().WithPlainHttp();
    }

    internal static async Task PostAsync(HttpContext context, Dispatcher dispatcher, JobSubmission jobs, TimeProvider time, OrchestratorOptions options)
    {
        var hungUp = context.RequestAborted;
        if (!(await TextBody.ReadAsync(context.Request, hungUp)).TryGet(out var body, out var refusal))
        {
            await refusal.ToResult().ExecuteAsync(context);
            return;
        }

        var prefer = Prefer.Parse(context.Request.Headers["Prefer"], options.MaxWait);
        if (prefer.RespondAsync)
        {
            await (await jobs.SubmitAsync(context, body, prefer)).ExecuteAsync(context);
            return;
        }

        if (Prefer.Applied(respondAsync: false, prefer.Wait) is { } applied) context.Response.Headers["Preference-Applied"] = applied;
        var pair = body.Pair is null ? null : new TextOptions(body.Pair);
        var outcome = await dispatcher.SubmitAsync(new QueueEntry(Guid.CreateVersion7(time.GetUtcNow()), body.Utf8, prefer.Wait ?? options.Deadline, pair) { Owner = context.User.Identity?.Name ?? "" }, hungUp);
        switch (outcome)
        {
            case { Answer: { } answer }:
                // At one stroke and with its length: written as it is serialized it would go out in chunks.
                var json = JsonSerializer.SerializeToUtf8Bytes(answer, WireJson.Relaxed.RequestAnswer);
                (context.Response.ContentType, context.Response.ContentLength) = ("application/json; charset=utf-8", json.Length);
                await context.Response.Body.WriteAsync(json, hungUp);
                break;
            case { Kind: OutcomeKind.Canceled }:
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                break;
            default:
                await Refusals.Of(outcome).ToResult().ExecuteAsync(context);
                break;
        }
    }
}

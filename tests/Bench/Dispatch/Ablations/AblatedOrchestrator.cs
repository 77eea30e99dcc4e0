using System.CommandLine;
using System.Text.Json;
using Lab.Orchestrator;
using Lab.Orchestrator.Api;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Lab.Bench.Dispatch.Ablations;

/// <summary>
/// Runs the orchestrator, as a hidden command of this program, with an <see cref="Ablation"/>: services are replaced and
/// <c>POST /ablated</c> stands beside <c>/new_request</c>, so that the product needs no switch for it.
/// </summary>
internal static class AblatedOrchestrator
{
    public const string Path = "/ablated";

    public static Command CreateCommand()
    {
        var ablation = new Option<Ablation>("--without") { Required = true };
        var command = new Command("ablated-orchestrator", "Runs the orchestrator with libraries in the place of its own code.") { ablation };
        command.Hidden = true;
        command.SetAction((parse, cancellation) => RunAsync(parse.GetValue(ablation), cancellation));
        return command;
    }

    private static async Task RunAsync(Ablation ablation, CancellationToken cancellation)
    {
        await using var app = OrchestratorApp.Create(services => ReplaceClient(services, ablation));
        var endpoint = app.MapPost(Path, Post(app.Services, ablation));
        if (!ablation.HasFlag(Ablation.OrdinaryAccess)) endpoint.WithFastPath();
        await app.StartAsync(cancellation);
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync(CancellationToken.None);
    }

    private static void ReplaceClient(IServiceCollection services, Ablation ablation)
    {
        if ((ablation & (Ablation.Invoker | Ablation.ReadBySerializer)) == 0) return;
        services.AddSingleton<HttpWorkerClient>();
        services.AddSingleton<IWorkerClient>(provider => new AblatedWorkerClient(
            ablation,
            provider.GetRequiredService<HttpWorkerClient>(),
            provider.GetRequiredService<TimeProvider>()));
    }

    private static RequestDelegate Post(IServiceProvider services, Ablation ablation)
    {
        var dispatcher = services.GetRequiredService<Dispatcher>();
        var jobs = services.GetRequiredService<JobSubmission>();
        var time = services.GetRequiredService<TimeProvider>();
        var options = services.GetRequiredService<IOptions<OrchestratorOptions>>().Value;
        if (!ablation.HasFlag(Ablation.WriteBySerializer)) return context => NewRequest.PostAsync(context, dispatcher, jobs, time, options);
        return async context =>
        {
            if (!(await TextBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out var refusal))
            {
                await refusal.ToResult().ExecuteAsync(context);
                return;
            }

            var wait = Prefer.Parse(context.Request.Headers["Prefer"], options.MaxWait).Wait;
            var entry = new QueueEntry(Guid.CreateVersion7(time.GetUtcNow()), body.Utf8, wait ?? options.Deadline) { Owner = context.User.Identity?.Name ?? "" };
            var outcome = await dispatcher.SubmitAsync(entry, context.RequestAborted);
            if (outcome.Answer is not { } answer)
            {
                await Refusals.Of(outcome).ToResult().ExecuteAsync(context);
                return;
            }

            var json = JsonSerializer.SerializeToUtf8Bytes(answer, WireJson.Relaxed.RequestAnswer);
            (context.Response.ContentType, context.Response.ContentLength) = ("application/json; charset=utf-8", json.Length);
            await context.Response.Body.WriteAsync(json, context.RequestAborted);
        };
    }
}

using System.CommandLine;
using Lab.Orchestrator;
using Lab.Orchestrator.Api;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults.Access;
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
        var endpoint = app.MapPost(Path, Post(app.Services));
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

    private static RequestDelegate Post(IServiceProvider services)
    {
        var dispatcher = services.GetRequiredService<Dispatcher>();
        var jobs = services.GetRequiredService<JobSubmission>();
        var time = services.GetRequiredService<TimeProvider>();
        var options = services.GetRequiredService<IOptions<OrchestratorOptions>>().Value;
        return context => NewRequest.PostAsync(context, dispatcher, jobs, time, options);
    }
}

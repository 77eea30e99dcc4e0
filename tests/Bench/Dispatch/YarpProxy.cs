using System.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace Lab.Bench.Dispatch;

/// <summary>YARP as a plain proxy with LeastRequests, its other settings as shipped.</summary>
internal static class YarpProxy
{
    public static Command CreateCommand()
    {
        var port = new Option<int>("--port") { Required = true };
        var workers = new Option<int>("--workers") { Required = true };
        var count = new Option<int>("--count") { DefaultValueFactory = _ => DispatchCommand.WorkerCount };
        var command = new Command("yarp", "Runs YARP before workers on successive ports.") { port, workers, count };
        command.Hidden = true;
        command.SetAction((parse, cancellation) => RunAsync(parse.GetValue(port), parse.GetValue(workers), parse.GetValue(count), cancellation));
        return command;
    }

    private static async Task RunAsync(int port, int firstWorker, int count, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "workers", Match = new() { Path = "{**rest}" } }],
            [new ClusterConfig
            {
                ClusterId = "workers",
                LoadBalancingPolicy = "LeastRequests",
                Destinations = Enumerable.Range(0, count).ToDictionary(
                    i => $"worker-{i + 1}", i => new DestinationConfig { Address = $"http://localhost:{firstWorker + i}" }),
            }]);
        var app = builder.Build();
        app.MapReverseProxy();
        await app.StartAsync(cancellation);
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync(CancellationToken.None);
    }
}

using System.Net;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Lab.Orchestrator.Workers;
using Microsoft.Extensions.DependencyInjection;

namespace Lab.Orchestrator.Tests.Dispatch;

/// <summary>What the client for workers throws, though it should not, is an end of the call like any other.</summary>
public sealed class DispatcherTests
{
    [Fact]
    public async Task Send_OutOfMemory_IsNotTheWorkersFaultAndTriedAgain()
    {
        await using var lab = await StartAsync(new InsufficientMemoryException());
        using var response = await lab.PostAsync("large");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(1, (await RunningOrchestrator.ReadAnswerAsync(response)).Attempts);
        await lab.UntilAsync(table => table["worker-1"] is { Status: "free", Failed: 0 });
    }

    [Fact]
    public async Task Send_AnyException_IsAFailedAttempt()
    {
        await using var lab = await StartAsync(new InvalidOperationException("a defect"));
        using var response = await lab.PostAsync("large");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(2, (await RunningOrchestrator.ReadAnswerAsync(response)).Attempts);
        await lab.UntilLoggedAsync("a defect");
    }

    [Fact]
    public async Task Probe_AnyException_IsAFailedProbeAndAnotherFollows()
    {
        await using var lab = await StartAsync(new InvalidOperationException("a defect"), throwsAtProbes: true);
        using var response = await lab.PostAsync("after it");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await lab.UntilLoggedAsync("a defect");
    }

    private static Task<RunningOrchestrator> StartAsync(Exception exception, bool throwsAtProbes = false) => RunningOrchestrator.StartAsync(1, key: null, [], services =>
    {
        services.AddSingleton<HttpWorkerClient>();
        services.AddSingleton<IWorkerClient>(provider => new ThrowingClient(provider.GetRequiredService<HttpWorkerClient>(), exception, throwsAtProbes));
    });

    /// <summary>Throws once, then does what it should.</summary>
    private sealed class ThrowingClient(HttpWorkerClient client, Exception exception, bool throwsAtProbes) : IWorkerClient
    {
        private Exception? _exception = exception;

        public ValueTask<WorkerReply> SendAsync(DispatchCall call)
        {
            if (!throwsAtProbes && Interlocked.Exchange(ref _exception, null) is { } now) throw now;
            return client.SendAsync(call);
        }

        public Task<ProbeResult> ProbeAsync(Uri address, bool readModel, CancellationToken cancellationToken)
        {
            if (throwsAtProbes && Interlocked.Exchange(ref _exception, null) is { } now) throw now;
            return client.ProbeAsync(address, readModel, cancellationToken);
        }

        public Task<PresenceReport?> AskPresenceAsync(Uri address, string id, CancellationToken cancellationToken) => client.AskPresenceAsync(address, id, cancellationToken);
    }
}

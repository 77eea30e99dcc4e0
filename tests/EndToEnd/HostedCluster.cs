using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Lab.EndToEnd.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lab.EndToEnd;

/// <summary>AppHost's own resources, run by Aspire's runner, with the model and the notifications at hand.</summary>
internal sealed class HostedCluster : LabCluster
{
    private readonly DistributedApplication _app;
    private readonly DirectoryInfo _state;

    private HostedCluster(DistributedApplication app, DirectoryInfo state)
    {
        (_app, _state) = (app, state);
        Client = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            BaseAddress = app.GetEndpoint("orchestrator", "http"),
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    /// <inheritdoc/>
    public override HttpClient Client { get; }

    /// <summary>Where <c>bench</c> puts its report.</summary>
    public string ReportDirectory => Path.Combine(_state.FullName, "report");

    /// <inheritdoc/>
    public override string Output => string.Join('\n', _app.Services.GetRequiredService<DistributedApplicationModel>().Resources
        .Select(resource => _app.ResourceNotifications.TryGetCurrentState(resource.Name, out var change) ? $"{resource.Name}: {change.Snapshot.State?.Text}" : ""));

    /// <summary>Starts AppHost with these arguments and waits until its workers are free.</summary>
    public static async Task<HostedCluster> StartAsync(int workers, params string[] arguments)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            ["--OrchestratorPort=0", string.Create(CultureInfo.InvariantCulture, $"--WorkerCount={workers}"), .. arguments], TestContext.Current.CancellationToken);
        // Whoever runs the tests may have jobs of his own.
        var state = Directory.CreateTempSubdirectory("lab-test-");
        builder.CreateResourceBuilder<ProjectResource>("orchestrator").WithEnvironment("XDG_STATE_HOME", state.FullName);
        builder.CreateResourceBuilder<ProjectResource>("bench").WithArgs("--out", Path.Combine(state.FullName, "report"));
        // Failed health checks of services that start, with stacks: a test that fails shows what it needs itself.
        builder.Services.AddLogging(logging => logging.ClearProviders());
        var app = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var cluster = new HostedCluster(app, state);
        try
        {
            await cluster.UntilFreeAsync(workers);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        return cluster;
    }

    /// <summary>The process of a resource.</summary>
    public int PidOf(string resource) => Convert.ToInt32(Snapshot(resource).Properties.Single(property => property.Name == "executable.pid").Value, CultureInfo.InvariantCulture);

    /// <summary>The text of a resource's state.</summary>
    public string? StateOf(string resource) => Snapshot(resource).State?.Text;

    /// <summary>The last snapshot of a resource.</summary>
    public CustomResourceSnapshot Snapshot(string resource) => Current(resource).Snapshot;

    /// <summary>Runs one of a resource's commands, as its menu does.</summary>
    public Task<ExecuteCommandResult> RunAsync(string resource, string command) =>
        _app.ResourceCommands.ExecuteCommandAsync(Current(resource).ResourceId, command, TestContext.Current.CancellationToken);

    /// <summary>The lines that a resource's log has.</summary>
    public async Task<IReadOnlyList<string>> LogOfAsync(string resource)
    {
        var lines = new List<string>();
        await foreach (var batch in _app.Services.GetRequiredService<ResourceLoggerService>().GetAllAsync(Current(resource).ResourceId).WithCancellation(TestContext.Current.CancellationToken))
            lines.AddRange(batch.Select(line => line.Content));
        return lines;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        _state.Delete(recursive: true);
    }

    private ResourceEvent Current(string resource)
    {
        Assert.True(_app.ResourceNotifications.TryGetCurrentState(resource, out var change), $"no state of {resource}");
        return change;
    }
}

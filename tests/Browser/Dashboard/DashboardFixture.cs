using Lab.EndToEnd.Cluster;

namespace Lab.Browser.Dashboard;

/// <summary>AppHost with its dashboard, two workers, and telemetry that comes within a second.</summary>
public sealed class DashboardFixture : IAsyncLifetime
{
    private RunningCluster? _cluster;

    internal RunningCluster Cluster => _cluster!;

    internal Uri Address { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _cluster = await RunningCluster.StartAsync(workers: 2, new Dictionary<string, string> { ["DOTNET_ENVIRONMENT"] = "Development" });
        Address = await _cluster.GetDashboardAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }
}

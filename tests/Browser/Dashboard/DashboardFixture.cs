using Lab.Browser.Browsing;
using Lab.EndToEnd.Cluster;

namespace Lab.Browser.Dashboard;

/// <summary>A browser before the dashboard of AppHost, which runs the whole cluster as a user starts it.</summary>
public sealed class DashboardFixture : IAsyncLifetime
{
    private readonly BrowserFixture _browser = new();
    private RunningCluster? _cluster;
    private Uri? _login;

    internal const int WorkerCount = 8;

    /// <summary>The cluster itself. Without Chromium the test that asks is skipped.</summary>
    internal LabCluster Cluster
    {
        get
        {
            BrowserFixture.SkipWithoutChromium();
            return _cluster!;
        }
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (BrowserFixture.Chromium is null) return;
        await _browser.InitializeAsync();
        _cluster = await RunningCluster.StartAsync(WorkerCount);
        _login = await _cluster.GetDashboardAsync();
    }

    /// <summary>Opens a page of the dashboard, in a session that has just been let in.</summary>
    internal async Task<Tab> OpenAsync(string path, View? view = null)
    {
        BrowserFixture.SkipWithoutChromium();
        var tab = await _browser.OpenAsync(_login!, view);
        await tab.Page.GotoAsync(_login!.ToString());
        await tab.Page.GotoAsync(path);
        return tab;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
    }
}

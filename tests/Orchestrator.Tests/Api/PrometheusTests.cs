using System.Text;
using Lab.Testing;

namespace Lab.Orchestrator.Tests.Api;

public sealed class PrometheusTests
{
    private const string Key = "user-key-0123456789";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_ScrapedByPrometheus_AreWithoutAFault()
    {
        await using var good = await StubWorker.StartAsync();
        // A process of its own: all meters of a process are counted together.
        await using var lab = await ServiceProcess.StartAsync("Orchestrator.dll", ["--Jobs:Path=jobs.db", $"--Access:Keys:alice={Key}", $"--Workers:worker_1.b={good.Address}"]);
        lab.Client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        await lab.UntilMetricsAsync(metrics => metrics["lab_workers{status=\"free\"}"] == 1);
        foreach (var path in (string[])["/new_request", "/", "/predict", "/nothing"])
            using (await lab.Client.PostAsync(path, new StringContent("""{"text":"a","inputs":"a"}""", Encoding.UTF8, "application/json"), Cancellation)) { }
        await lab.UntilMetricsAsync(metrics => metrics.GetValueOrDefault("lab_requests_total{outcome=\"answered\"}") == 3);

        // The runtime's own meters have names that promtool would have otherwise.
        Assert.DoesNotContain(await PrometheusServer.CheckAsync(await lab.Client.GetStringAsync("/metrics", Cancellation)), fault => !fault.StartsWith("dotnet_", StringComparison.Ordinal));
        await using var prometheus = await PrometheusServer.StartAsync(lab.Client.BaseAddress!, Key);
        var (labels, value) = Assert.Single(await prometheus.QueryAsync("lab_dispatches_total{result=\"answered\"}"));
        Assert.Equal(("worker_1.b", "3"), (labels.GetProperty("worker").GetString(), value));
        Assert.Equal("3", Assert.Single(await prometheus.QueryAsync("lab_queue_duration_seconds_count")).Value);
        Assert.Equal("1", Assert.Single(await prometheus.QueryAsync("up{job=\"lab\"}")).Value);
        Assert.Equal(("counter", "Requests by how they ended."), await prometheus.MetadataAsync("lab_requests"));
        Assert.Equal(("histogram", "Time between acceptance and dispatch."), await prometheus.MetadataAsync("lab_queue_duration_seconds"));
        Assert.Equal(("gauge", "Requests waiting for a worker."), await prometheus.MetadataAsync("lab_queue_depth"));
    }
}

using System.Text;
using Lab.Testing;

namespace Lab.Worker.Tests.Api;

public sealed class MetricsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_AfterKnownTraffic_TellIt()
    {
        await using var worker = await ServiceProcess.StartAsync("Worker.dll", []);
        await worker.UntilHealthyAsync();

        using (await PostAsync(worker, "/predict", """{"inputs":[["a"],["b"]]}""")) { }
        using (await PostAsync(worker, "/run_model", """{"text":"c"}""")) { }
        using (await PostAsync(worker, "/v2/models/minilm-sst2/infer", "{}")) { }

        var metrics = await worker.MetricsAsync();
        Assert.Equal(3, metrics["lab_worker_answers_total"]);
        Assert.Equal(2, metrics["lab_worker_inference_duration_seconds_count"]);
        Assert.Equal(3, metrics["lab_worker_batch_size_sum"]);
        Assert.Equal(1, metrics["lab_worker_refusals_total{http_response_status_code=\"422\"}"]);
        Assert.Equal(0, metrics["lab_worker_busy"]);
        Assert.Equal(0, metrics["lab_worker_queue_depth"]);
    }

    [Fact]
    public async Task Metrics_ScrapedByPrometheus_AreWithoutAFault()
    {
        await using var worker = await ServiceProcess.StartAsync("Worker.dll", []);
        await worker.UntilHealthyAsync();
        using (await PostAsync(worker, "/run_model", """{"text":"a"}""")) { }
        using (await PostAsync(worker, "/run_model", "{")) { }

        // The runtime's own meters have names that promtool would have otherwise.
        Assert.DoesNotContain(await PrometheusServer.CheckAsync(await worker.Client.GetStringAsync("/metrics", Cancellation)), fault => !fault.StartsWith("dotnet_", StringComparison.Ordinal));
        await using var prometheus = await PrometheusServer.StartAsync(worker.Client.BaseAddress!);
        Assert.Equal("1", Assert.Single(await prometheus.QueryAsync("lab_worker_answers_total")).Value);
        Assert.Equal("1", Assert.Single(await prometheus.QueryAsync("lab_worker_refusals_total{http_response_status_code=\"400\"}")).Value);
        Assert.Equal("histogram", (await prometheus.MetadataAsync("lab_worker_inference_duration_seconds")).Type);
    }

    private static Task<HttpResponseMessage> PostAsync(ServiceProcess worker, string path, string body) =>
        worker.Client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Cancellation);
}

using System.Text;
using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Tests.Jobs;
using Lab.Testing;
using Microsoft.AspNetCore.Http;

namespace Lab.Orchestrator.Tests.Api;

public sealed class MetricsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_AfterKnownTraffic_TellIt()
    {
        await using var good = await StubWorker.StartAsync();
        await using var bad = await StubWorker.StartAsync();
        bad.Handle = (_, _) => Task.FromResult<IResult>(TypedResults.StatusCode(500));
        await using var lab = await ServiceProcess.StartAsync("Orchestrator.dll",
            ["--Jobs:Path=jobs.db", $"--Workers:good={good.Address}", $"--Workers:bad={bad.Address}", "--Orchestrator:QuarantineMin=00:01:00", "--Orchestrator:QuarantineMax=00:01:00", "--Orchestrator:QueueCapacity=2"]);
        await lab.UntilMetricsAsync(metrics => metrics["lab_workers{status=\"free\"}"] == 2);

        // One of the first two lands on the bad worker, which is quarantined, and is done by the other.
        for (var i = 0; i < 5; i++) using (await PostAsync(lab, "/new_request", "text", "text/plain")) { }
        using (var many = await PostAsync(lab, "/predict", """{"inputs":[["a"],["b"],["c"]]}""")) Assert.Equal(429, (int)many.StatusCode);

        var metrics = await lab.UntilMetricsAsync(metrics => metrics.ContainsKey("lab_requests_total{outcome=\"queue_full\"}"));
        Assert.Equal(5, metrics["lab_requests_total{outcome=\"answered\"}"]);
        Assert.Equal(3, metrics["lab_requests_total{outcome=\"queue_full\"}"]);
        Assert.Equal(5, metrics["lab_dispatches_total{result=\"answered\",worker=\"good\"}"]);
        Assert.Equal(1, metrics["lab_dispatches_total{result=\"failed\",worker=\"bad\"}"]);
        Assert.Equal(1, metrics["lab_requests_returned_total{reason=\"failed\"}"]);
        Assert.Equal(6, metrics["lab_queue_duration_seconds_count"]);
        Assert.Equal(5, metrics["lab_inference_duration_seconds_count"]);
        Assert.Equal(0.0075, metrics["lab_inference_duration_seconds_sum"], 1e-9);
        Assert.Equal(6, metrics["lab_dispatch_batch_size_sum"]);
        Assert.Equal(0, metrics["lab_queue_depth"]);
        Assert.Equal(0, metrics["lab_workers_busy"]);
        Assert.Equal((1, 0, 1, 0), (
            metrics["lab_workers{status=\"free\"}"], metrics["lab_workers{status=\"busy\"}"],
            metrics["lab_workers{status=\"quarantined\"}"], metrics["lab_workers{status=\"draining\"}"]));
        // OpenTelemetry's semantic conventions for HTTP servers.
        Assert.Contains(metrics, metric => metric.Key.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal)
            && metric.Key.Contains("http_route=\"/predict\"", StringComparison.Ordinal) && metric.Key.Contains("http_response_status_code=\"429\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_AfterEverythingAStrangerMaySend_StillCountEachByItself()
    {
        const string Key = "user-key-0123456789";
        List<string> paths;
        await using (var example = await RunningOrchestrator.StartAsync(workers: 0)) paths = example.Endpoints.Select(endpoint => $"/{endpoint.RoutePattern.RawText?.TrimStart('/').Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal)}")
            .Distinct().Where(path => !path.Contains('*', StringComparison.Ordinal)).ToList();
        // A process of its own: what others do in this one is counted too.
        await using var lab = await ServiceProcess.StartAsync("Orchestrator.dll", ["--Jobs:Path=jobs.db", $"--Access:Keys:alice={Key}"]);
        foreach (var method in (string[])["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
        {
            foreach (var path in paths.Concat(Enumerable.Range(0, 50).Select(i => $"/nothing/{i}")))
            {
                using var request = new HttpRequestMessage(new(method), path);
                (await lab.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation)).Dispose();
            }
        }

        lab.Client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        using (await lab.Client.GetAsync("/workers", Cancellation)) { }
        var metrics = await lab.UntilMetricsAsync(metrics => metrics.Any(metric => metric.Key.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal)
            && metric.Key.Contains("http_route=\"/workers/\"", StringComparison.Ordinal) && metric.Key.Contains("http_response_status_code=\"200\"", StringComparison.Ordinal)));
        TestContext.Current.TestOutputHelper?.WriteLine($"{metrics.Keys.Count(key => key.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal))} series");
        Assert.DoesNotContain(metrics.Keys, key => key.Contains("otel_metric_overflow", StringComparison.Ordinal));
        Assert.True(paths.Count > 30, "the page's files are among the paths");
    }

    [Fact]
    public async Task Metrics_AfterJobs_TellHowTheyEnded()
    {
        await using var worker = await StubWorker.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        worker.Handle = async (text, _) =>
        {
            await release.Task;
            return StubWorker.Answer(text);
        };
        await using var lab = await ServiceProcess.StartAsync("Orchestrator.dll",
            ["--Jobs:Path=jobs.db", $"--Workers:worker-1={worker.Address}"]);
        await lab.UntilMetricsAsync(metrics => metrics["lab_workers{status=\"free\"}"] == 1);

        var done = await lab.Client.AcceptedAsync("a");
        await lab.Client.UntilAsync(done, "running");
        var canceled = await lab.Client.AcceptedAsync("b");
        using (var deletion = await lab.Client.DeleteAsync(canceled, Cancellation)) Assert.Equal(204, (int)deletion.StatusCode);
        release.SetResult();
        await lab.Client.UntilAsync(done, "succeeded");

        var metrics = await lab.UntilMetricsAsync(metrics => metrics.GetValueOrDefault("lab_jobs_total{status=\"succeeded\"}") == 1);
        Assert.Equal(2, metrics["lab_jobs_total{status=\"queued\"}"]);
        Assert.Equal(1, metrics["lab_jobs_total{status=\"canceled\"}"]);
        Assert.DoesNotContain("lab_jobs_total{status=\"failed\"}", metrics.Keys);
        await lab.UntilMetricsAsync(metrics => metrics["lab_jobs_unfinished"] == 0);
        Assert.InRange(metrics["lab_jobs_kept_bytes"], 2 * NewJob.RowBytes, 4 * NewJob.RowBytes);
    }

    private static Task<HttpResponseMessage> PostAsync(ServiceProcess lab, string path, string body, string contentType = "application/json") =>
        lab.Client.PostAsync(path, new StringContent(body, Encoding.UTF8, contentType), Cancellation);
}

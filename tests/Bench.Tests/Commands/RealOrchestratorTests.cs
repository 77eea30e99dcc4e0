using Lab.Orchestrator.Tests.Api;
using Lab.Tests.Protocols;

namespace Lab.Bench.Tests.Commands;

public sealed class RealOrchestratorTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("--parallel", "5", "--rounds", "20")]
    [InlineData("--clients", "8", "--duration", "1s")]
    [InlineData("--rate", "100", "--duration", "1s")]
    public async Task Run_AgainstOrchestrator_NumbersAreItsOwn(params string[] load)
    {
        await using var first = await StubWorker.StartAsync();
        await using var second = await StubWorker.StartAsync();
        await using var lab = await ServiceProcess.StartAsync("Orchestrator.dll",
            ["--Jobs:Path=jobs.db", $"--Workers:worker-1={first.Address}", $"--Workers:worker-2={second.Address}"], Cancellation);
        await UntilAsync(lab, metrics => metrics["lab_workers{status=\"free\"}"] == 2);
        using var bench = new BenchRun();

        var code = await bench.RunAsync("run", lab.Client.BaseAddress!, [.. load, "--warmup", "0", "--no-burst"]);

        var run = bench.Result["run"]!;
        var answered = (double)run["answered"]!;
        Assert.Equal(ExitCode.AllAnswered, code);
        Assert.True((bool)run["counts_agree"]!, bench.Output);
        // The sample answer comes before the run, and is the one request besides.
        var metrics = await UntilAsync(lab, metrics => metrics["lab_requests_total{outcome=\"answered\"}"] >= answered + 1);
        Assert.Equal(answered + 1, metrics["lab_requests_total{outcome=\"answered\"}"]);
        Assert.Equal(answered, (double)run["own_count"]!["answered"]!);
        Assert.Equal(first.Texts.Count + second.Texts.Count, answered + 1);
        foreach (var worker in run["workers"]!.AsArray())
            Assert.InRange((int)worker!["answered"]!, 1, worker["name"]!.ToString() == "worker-1" ? first.Texts.Count : second.Texts.Count);
        // The mean time in the queue: by the answers (rounded to 0.1 µs each) and by the orchestrator's histogram.
        var own = run["own_count"]!;
        Assert.Equal((double)own["queue_seconds"]! * 1000 / (double)own["dispatched"]!, (double)run["latency"]!["queue"]!["mean"]!, 0.001);
    }

    private static async Task<Dictionary<string, double>> UntilAsync(ServiceProcess lab, Func<Dictionary<string, double>, bool> condition)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(20));
        while (true)
        {
            var metrics = await lab.MetricsAsync(Cancellation);
            if (condition(metrics)) return metrics;
            await Task.Delay(100, deadline.Token);
        }
    }
}

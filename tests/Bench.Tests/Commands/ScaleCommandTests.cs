namespace Lab.Bench.Tests.Commands;

public sealed class ScaleCommandTests : IDisposable
{
    private readonly BenchRun _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Scale_TwoWorkers_DrainsOneMeasuresAndResumes()
    {
        await using var stub = await StubOrchestrator.StartAsync();

        var code = await _bench.RunAsync("scale", stub.Address, "--duration", "200ms", "--turns", "2", "--clients", "2");

        Assert.Equal(ExitCode.AllAnswered, code);
        Assert.Equal(["drain worker-2", "resume worker-2", "drain worker-2", "resume worker-2"], stub.Changes);
        var points = _bench.Result["scale"]!["points"]!.AsArray();
        Assert.Equal([1, 2], points.Select(point => (int)point!["workers"]!));
        Assert.Equal((1.0, 1.0), ((double)points[0]!["speed_up"]!, (double)points[0]!["efficiency"]!));
        Assert.Equal((double)points[1]!["speed_up"]! / 2, (double)points[1]!["efficiency"]!, 1e-9);
        Assert.Contains("Speed-up by number of workers", _bench.Html);
    }

    [Fact]
    public async Task Scale_OrchestratorFailsMeanwhile_WorkersAreResumed()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        stub.Workers["worker-3"] = stub.Workers["worker-1"] with { Status = "draining" };
        var all = stub.Workers.ToDictionary();
        stub.Handle = (context, text, number) =>
        {
            // No worker any more, as the next look finds out.
            if (stub.Changes.Count > 0) foreach (var name in all.Keys) stub.Workers[name] = all[name] with { Status = "quarantined" };
            return StubOrchestrator.AnswerAsync(context, text, number);
        };

        var code = await _bench.RunAsync("scale", stub.Address, "--duration", "200ms", "--turns", "5", "--clients", "2");

        Assert.Equal(ExitCode.CannotReach, code);
        Assert.Equal("resume worker-2", stub.Changes[^1]);
        // Somebody else has drained it, and nobody else may let it work.
        Assert.DoesNotContain(stub.Changes, change => change.Contains("worker-3"));
    }

    [Theory]
    [InlineData("1,3", "There are 2 workers at work")]
    [InlineData("1,none", "no list of numbers")]
    [InlineData("0", "no list of numbers")]
    public async Task Scale_WorkersThatCannotBe_AreRefused(string workers, string told)
    {
        await using var stub = await StubOrchestrator.StartAsync();

        Assert.Equal(ExitCode.Usage, await _bench.RunAsync("scale", stub.Address, "--workers", workers));
        Assert.Contains(told, _bench.Errors);
        Assert.Empty(stub.Changes);
    }
}

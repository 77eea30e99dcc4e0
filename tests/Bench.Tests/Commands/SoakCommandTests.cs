using System.Globalization;
using Lab.Bench.Recording;
using Lab.Testing;

namespace Lab.Bench.Tests.Commands;

public sealed class SoakCommandTests : IDisposable
{
    private readonly BenchRun _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Soak_OneWorkerGrowsAndOneGoes_IsTold()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        await using var steady = await StubOrchestrator.StartAsync();
        await using var growing = await StubOrchestrator.StartAsync();
        await using var going = await StubOrchestrator.StartAsync();
        var (asked, last) = (0, 0);
        stub.Metrics = () => WorkingSet(200, stub.Count);
        steady.Metrics = () => WorkingSet(100);
        // The load ends once all have their answers: not before there is enough to see, however slow the machine.
        stub.Handle = async (context, text, number) =>
        {
            if (number > 60) await Eventually.TrueAsync(() => Volatile.Read(ref asked) >= 8, "the load was looked at eight times");
            await StubOrchestrator.AnswerAsync(context, text, number);
        };
        growing.Metrics = () => WorkingSet(100 + Interlocked.Increment(ref asked));
        // Told twice, and then no more.
        going.Metrics = () => Interlocked.Increment(ref last) > 2 ? null : WorkingSet(100);
        stub.Workers.Clear();
        foreach (var (name, worker) in (IEnumerable<(string, StubOrchestrator)>)[("worker-1", steady), ("worker-2", growing), ("worker-3", going)])
            stub.Workers[name] = new("127.0.0.1", worker.Address.Port, "free", 0, 0);
        stub.Workers["worker-4"] = new("127.0.0.1", 1, "free", 0, 0);

        var code = await _bench.RunAsync("soak", stub.Address, "--duration", "1500ms", "--every", "100ms", "--warmup", "0", "--process", $"itself={Environment.ProcessId}");

        Assert.True(code is ExitCode.Failed, $"{_bench.Output}{_bench.Errors}");
        var soak = _bench.Result["soak"]!;
        Assert.False((bool)soak["is_flat"]!);
        Assert.Equal(["worker-4"], soak["not_watched"]!.AsArray().Select(name => name!.ToString()));
        var processes = soak["processes"]!.AsArray().ToDictionary(process => process!["name"]!.ToString(), process => process!);
        Assert.Equal(["orchestrator", "worker-1", "worker-2", "worker-3", "itself"], processes.Keys);
        Assert.Equal((200, "orchestrator"), ((double)processes["orchestrator"]["median"]!, processes["orchestrator"]["kind"]!.ToString()));
        Assert.Equal([true, true, false], ((string[])["orchestrator", "worker-1", "worker-2"]).Select(name => (bool)processes[name]["is_flat"]!));
        Assert.Equal([false, false, true, false], ((string[])["worker-1", "worker-2", "worker-3", "itself"]).Select(name => (bool)processes[name]["is_gone"]!));
        Assert.True(processes["worker-2"]["points"]!.AsArray().Count >= 5);
        Assert.Contains("the memory of worker-2", _bench.Output);
        Assert.Contains("Gone before the end: worker-3.", _bench.Output);
        Assert.Contains("Could not be watched from here: worker-4.", _bench.Output);
        Assert.Contains("Memory of every process", _bench.Html);
        Assert.StartsWith("open loop, 50 requests/s for 1.5 s", _bench.Result["run"]!["load"]!.ToString());
    }

    [Fact]
    public async Task Soak_NobodyGrows_IsFlat()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        stub.Metrics = () => WorkingSet(200, stub.Count);
        foreach (var name in stub.Workers.Keys.ToList()) stub.Workers[name] = stub.Workers[name] with { Port = stub.Address.Port };

        var code = await _bench.RunAsync("soak", stub.Address, "--duration", "500ms", "--every", "50ms");

        Assert.True(code is ExitCode.AllAnswered, $"{_bench.Output}{_bench.Errors}");
        Assert.Contains("The memory of all 3 processes was flat", _bench.Output);
    }

    [Fact]
    public async Task Soak_AnAnswerIsWrong_IsNoSuccess()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        stub.Metrics = () => WorkingSet(200, stub.Count);
        stub.Handle = (context, text, number) => StubOrchestrator.AnswerAsync(context, number == 30 ? "another text" : text, number);

        Assert.Equal(ExitCode.WrongOrLost, await _bench.RunAsync("soak", stub.Address, "--duration", "1s", "--every", "100ms", "--warmup", "0"));
    }

    [Theory]
    [InlineData("apphost")]
    [InlineData("apphost=")]
    [InlineData("=1")]
    [InlineData("apphost=-1")]
    public async Task Soak_ProcessThatIsNone_IsRefused(string process)
    {
        Assert.Equal(ExitCode.Usage, await _bench.RunAsync("soak", new("http://127.0.0.1:1"), "--process", process));
        Assert.Contains($"'{process}' is no name and process id", _bench.Errors);
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(0, 16, true)]
    [InlineData(10, 16, true)]
    [InlineData(20, 16, false)]
    [InlineData(60, 0, false)]
    [InlineData(-60, 0, true)]
    public void Flat_IsDecidedByTheTrendAndNotByCollections(double perHour, double saw, bool flat)
    {
        // Half an hour, a look each 10 s, on 200 MB; memory that grows by what is collected each minute.
        var points = Enumerable.Range(0, 181).Select(i => new MemoryPoint(10 * i, 200 + (perHour * i / 360) + (saw * (i % 6) / 6))).ToList();

        var process = new ProcessMemory("orchestrator", ProcessKind.Orchestrator, points, IsGone: false);

        Assert.Equal(flat, process.IsFlat);
        Assert.Equal(perHour, process.RisePerHour, 2.0);
        Assert.Equal(process.RisePerHour / 3, process.Rise, 1e-6);
    }

    [Fact]
    public void Flat_GrowthInTheFirstThirdOnly_IsWarmUp()
    {
        var points = Enumerable.Range(0, 181).Select(i => new MemoryPoint(10 * i, 100 + Math.Min(i, 60))).ToList();

        var process = new ProcessMemory("worker-1", ProcessKind.Worker, points, IsGone: false);

        Assert.Equal((true, 160, 160), (process.IsFlat, process.Median, process.First));
    }

    private static string WorkingSet(double megabytes, int answered = 0) => string.Create(CultureInfo.InvariantCulture,
        $"# TYPE dotnet_process_memory_working_set_bytes gauge\ndotnet_process_memory_working_set_bytes{{otel_scope_name=\"System.Runtime\"}} {megabytes * 1e6:0} 1790000000000\nlab_requests_total{{outcome=\"answered\"}} {answered} 1790000000000\n");
}

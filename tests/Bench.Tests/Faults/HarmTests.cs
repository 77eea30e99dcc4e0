using Lab.Bench.Faults;
using Lab.Bench.Tests.Commands;
using Lab.Testing;

namespace Lab.Bench.Tests.Faults;

public sealed class HarmTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public HarmTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are found in /proc: Linux only");

    [Fact]
    public async Task LocalHarm_RealWorker_IsFrozenThawedAndKilled()
    {
        await using var worker = await WorkerProcess.StartAsync("worker-1");
        var harm = new LocalHarm(TimeProvider.System);

        Assert.Null(harm.WhyNot(worker.Place));
        await harm.FreezeAsync(worker.Place, Cancellation);
        await Eventually.TrueAsync(() => worker.State == "T", "the worker is stopped");
        await harm.ThawAsync(worker.Place, Cancellation);
        await Eventually.TrueAsync(() => worker.State != "T", "the worker runs on");
        await harm.KillAsync(worker.Place, Cancellation);
        await worker.WaitForExitAsync();

        Assert.Contains("Nobody listens", harm.WhyNot(worker.Place));
    }

    [Fact]
    public async Task LocalHarm_SomebodyElseOnThePort_IsLeftAlone()
    {
        // This very process listens there.
        await using var stub = await StubOrchestrator.StartAsync();

        Assert.Contains("it is no worker", new LocalHarm(TimeProvider.System).WhyNot(new("worker-1", "localhost", stub.Address.Port)));
    }

    [Fact]
    public void LocalHarm_WorkerElsewhere_IsLeftAlone() =>
        Assert.Contains("is on 10.0.0.11", new LocalHarm(TimeProvider.System).WhyNot(new("worker-1", "10.0.0.11", 8000)));

    [Fact]
    public async Task ProgramHarm_ProgramFails_SaysSo()
    {
        var failure = await Assert.ThrowsAsync<BenchException>(() => new ProgramHarm(["/bin/false"], TimeProvider.System).KillAsync(new("worker-1", "10.0.0.11", 8000), Cancellation));

        Assert.Contains("kill worker-1 ended with 1", failure.Message);
    }

    [Theory]
    [InlineData("/usr/bin/harm", "/usr/bin/harm")]
    [InlineData("""["dotnet","a b.dll","harm"]""", "dotnet|a b.dll|harm")]
    [InlineData("", null)]
    [InlineData("[]", null)]
    [InlineData("[\"\"]", null)]
    [InlineData("[1]", null)]
    [InlineData("[torn", null)]
    public void ProgramHarm_Text_IsAProgramOrAListOfOneAndItsArguments(string text, string? words) =>
        Assert.Equal(words?.Split('|'), ProgramHarm.Read(text));

    [Fact]
    public async Task ProgramHarm_EachHarm_IsCalledInItsWords()
    {
        var seen = Path.GetTempFileName();
        try
        {
            var harm = new ProgramHarm(["/bin/sh", "-c", $"echo \"$*\" >> {seen}", "harm"], TimeProvider.System);
            var worker = new WorkerPlace("worker-3", "10.0.0.12", 8001);

            await harm.KillAsync(worker, Cancellation);
            await harm.FreezeAsync(worker, Cancellation);
            await harm.SlowAsync(worker, TimeSpan.FromMilliseconds(1), Cancellation);
            await harm.ThawAsync(worker, Cancellation);

            Assert.Equal(((string[])["kill", "freeze", "slow", "thaw"]).Select(kind => $"{kind} worker-3 10.0.0.12 8001"), await File.ReadAllLinesAsync(seen, Cancellation));
        }
        finally
        {
            File.Delete(seen);
        }
    }

    [Fact]
    public async Task Faults_FrozenAndSlowedWorkers_NothingIsLost()
    {
        await using var first = await WorkerProcess.StartAsync("worker-1");
        await using var second = await WorkerProcess.StartAsync("worker-2");
        await using var lab = await ServiceProcess.StartAsync("Orchestrator.dll",
            ["--Jobs:Path=jobs.db", $"--Workers:worker-1={first.Address}", $"--Workers:worker-2={second.Address}"]);
        using var bench = new BenchRun();
        await Eventually.TrueAsync(async () => (await lab.Client.GetStringAsync("/workers", Cancellation)).Split("\"free\"").Length == 3, "two free workers", () => lab.Output);

        var code = await bench.RunAsync("faults", lab.Client.BaseAddress!, "--harm", "freeze,slow", "--pause", "200ms", "--freeze", "500ms", "--duration", "4s", "--clients", "4");

        Assert.True(code is ExitCode.AllAnswered, $"{bench.Output}{bench.Errors}");
        var run = bench.Result["run"]!;
        Assert.Equal((0, 0), ((int)run["lost"]!, (int)run["wrong"]!));
        Assert.Equal((int)run["sent"]!, (int)run["answered"]!);
        Assert.Contains("compared with the one from before", run["texts"]!.ToString());
        Assert.Contains(bench.Result["faults"]!["harms"]!.AsArray(), harm => harm!["kind"]!.ToString() == "freeze");
        Assert.Contains("Lost: 0, wrong: 0", bench.Output);
        Assert.NotEqual("T", first.State);
        Assert.NotEqual("T", second.State);
    }

    [Fact]
    public async Task Faults_WorkersThatAreNone_AreNotHarmed()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        foreach (var name in stub.Workers.Keys.ToList()) stub.Workers[name] = stub.Workers[name] with { Port = stub.Address.Port };
        using var bench = new BenchRun();

        Assert.Equal(ExitCode.Failed, await bench.RunAsync("faults", stub.Address));
        Assert.Contains("--harm-with", bench.Errors);
        Assert.Equal(0, stub.Count);
    }
}

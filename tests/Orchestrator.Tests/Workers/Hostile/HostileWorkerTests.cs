using System.Globalization;
using Lab.Orchestrator.Tests.Api;
using Lab.Testing;
using Microsoft.AspNetCore.Http;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>One worker of four does whatever it likes: every client gets the right answer all the same, and nobody else is punished for it.</summary>
public sealed class HostileWorkerTests(HostileLab lab) : IClassFixture<HostileLab>
{
    // What each of these sends would fill the memory by itself.
    private static readonly string[] Floods =
    [
        "100 without end", "headers without end", "one header without end", "a chunk's extension without end", "trailers without end",
        "a chunked body without end", "a body without length and end", "a body of 100 MB", "a million probabilities", "a hundred thousand results",
        "a label of a megabyte", "refuses with a megabyte of control characters", "an endless /health", "a /health of headers without end",
        "an /info of 50 MB", "an /info with 2 million labels", "an /info with 50,000 labels", "accepts and never reads",
    ];

    public static TheoryData<string> Parts => [.. HostileLab.Parts.Select(part => part.Name)];

    [Theory]
    [MemberData(nameof(Parts))]
    public async Task Post_OneWorkerIsHostile_EveryAnswerIsTheTexts(string part)
    {
        var report = await lab.PlayAsync(part);
        TestContext.Current.TestOutputHelper?.WriteLine(report.Summary);
        Assert.True(report.Faults.Count == 0, $"{report.Summary}\n{string.Join('\n', report.Faults.Take(20))}");
    }

    [Fact]
    public async Task Post_ManyWorkersFlood_192MebibytesAreEnough()
    {
        var floods = Floods.Select(name => HostileLab.Parts.Single(part => part.Name == name)).Select(part => new HostileServer(part)).ToList();
        try
        {
            await using var orchestrator = await ServiceProcess.StartAsync("Orchestrator.dll",
                [
                    .. lab.Settings(HostileLab.MaxBatch), .. floods.Select((flood, i) => $"--Workers:{HostileLab.Name}-{i}={flood.Address}"),
                    // As often as one of them may have it.
                    $"--Orchestrator:MaxAttempts={floods.Count + 1}", "--Orchestrator:Deadline=00:00:20", "--Access:Anonymous=true", "--Logging:LogLevel:Lab.Orchestrator=Error",
                ],
                new Dictionary<string, string?> { ["DOTNET_GCHeapHardLimit"] = "0xC000000" });
            await orchestrator.UntilHealthyAsync();
            var load = new Load(orchestrator.Client, "flood") { LongText = 200_000 };
            await load.RunAsync(1000, () => floods.All(flood => flood.Acts > 0), TimeSpan.FromSeconds(15));
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{load.Texts} texts, {floods.Sum(flood => flood.Acts)} acts, p99 {load.OthersP99:F0} ms (quiet {lab.QuietP99[HostileLab.MaxBatch]:F0}), longest {load.Longest:F0} ms"));
            Assert.Empty(load.Faults);
            Assert.DoesNotContain("OutOfMemory", orchestrator.Output, StringComparison.Ordinal);
            Assert.All(floods, flood => Assert.True(flood.Acts > 0, "a flood that never came"));
        }
        finally
        {
            foreach (var flood in floods) await flood.DisposeAsync();
        }
    }

    [Fact]
    public async Task Post_OneWorkerAnswersWhatTheOthersRefuse_TheOthersKeepTheirWork()
    {
        await using var orchestrator = await RunningOrchestrator.StartAsync(3, "--Orchestrator:MaxBatch=1");
        foreach (var honest in orchestrator.Workers.Take(2))
            honest.Handle = (_, _) => Task.FromResult<IResult>(TypedResults.Problem("too strange", statusCode: 422));
        // At once, so that each of the three is asked first, second and third.
        foreach (var response in await Task.WhenAll(Enumerable.Range(0, 200).Select(i => orchestrator.PostAsync($"strange {i}"))))
        {
            using (response) Assert.Contains((int)response.StatusCode, (int[])[200, 422]);
        }

        Assert.All((await orchestrator.GetWorkersAsync()).Values, worker => Assert.Equal((0, "free"), (worker.Failed, worker.Status)));
    }
}

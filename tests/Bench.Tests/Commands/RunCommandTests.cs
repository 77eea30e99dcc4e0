using Microsoft.AspNetCore.Http;

namespace Lab.Bench.Tests.Commands;

public sealed class RunCommandTests : IDisposable
{
    private readonly BenchRun _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Run_LabsForm_AnswersAllAndReports()
    {
        await using var stub = await StubOrchestrator.StartAsync();

        var code = await _bench.RunAsync("run", stub.Address, "--parallel", "5", "--rounds", "4", "--no-burst");

        Assert.Equal(ExitCode.AllAnswered, code);
        Assert.Contains("All 20 requests were answered", _bench.Output);
        var run = _bench.Result["run"]!;
        Assert.Equal((20, 20, 0), ((int)run["sent"]!, (int)run["answered"]!, (int)run["lost"]!));
        Assert.Equal(20, run["workers"]!.AsArray().Sum(worker => (int)worker!["answered"]!));
        Assert.Equal(0.5, (double)run["latency"]!["queue"]!["p50"]!, 0.01);
        Assert.Contains("All 20 requests were answered", _bench.Html);
    }

    [Fact]
    public async Task Run_AnswerWrong_TellsWhichAndEndsWithThree()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        stub.Handle = (context, text, number) => StubOrchestrator.AnswerAsync(context, text, number, label: text.Contains("dull") ? "POSITIVE" : "NEGATIVE");
        var known = _bench.Write("known.tsv", "A dull <b>mess</b>\tNEGATIVE\nbad\tNEGATIVE\n");

        var code = await _bench.RunAsync("run", stub.Address, "--parallel", "1", "--rounds", "4", "--expect", known, "--no-burst");

        Assert.Equal(ExitCode.WrongOrLost, code);
        Assert.Contains("request #0 wrong", _bench.Output);
        Assert.Contains("the label is POSITIVE, known is NEGATIVE", _bench.Output);
        Assert.Equal(2, (int)_bench.Result["run"]!["wrong"]!);
        Assert.Contains("A dull &lt;b&gt;mess", _bench.Html);
        Assert.DoesNotContain("<b>", _bench.Html);
    }

    [Fact]
    public async Task Run_ConnectionCut_IsLostAndEndsWithThree()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        stub.Handle = (context, text, number) =>
        {
            if (number == 3) context.Abort();
            return number == 3 ? Task.CompletedTask : StubOrchestrator.AnswerAsync(context, text, number);
        };

        var code = await _bench.RunAsync("run", stub.Address, "--parallel", "1", "--rounds", "4", "--warmup", "0", "--no-burst");

        Assert.Equal(ExitCode.WrongOrLost, code);
        // The first request of all is for the sample answer.
        Assert.Contains("request #1 lost", _bench.Output);
    }

    [Fact]
    public async Task Run_NoAnswerInTime_IsLost()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        stub.Handle = (context, text, number) => number == 2 ? Task.Delay(Timeout.Infinite, context.RequestAborted) : StubOrchestrator.AnswerAsync(context, text, number);

        var code = await _bench.RunAsync("run", stub.Address, "--parallel", "1", "--rounds", "2", "--warmup", "0", "--timeout", "300ms", "--no-report");

        Assert.Equal(ExitCode.WrongOrLost, code);
        Assert.Contains("no answer within 300 ms", _bench.Output);
    }

    [Fact]
    public async Task Run_Refused_TellsReasonsAndEndsWithFive()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        stub.Handle = (context, text, number) => number % 2 == 0 ? StubOrchestrator.RefuseAsync(context, 429, "Queue full") : StubOrchestrator.AnswerAsync(context, text, number);

        var code = await _bench.RunAsync("run", stub.Address, "--parallel", "1", "--rounds", "4", "--warmup", "0", "--no-burst");

        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("2 × 429 Queue full", _bench.Output);
        Assert.Equal(2, (int)_bench.Result["run"]!["refused"]!["429 Queue full"]!);
    }

    [Fact]
    public async Task Run_NobodyWaited_ShowsTheQueueInABurst()
    {
        await using var stub = await StubOrchestrator.StartAsync();

        await _bench.RunAsync("run", stub.Address, "--warmup", "0");

        Assert.Equal(32, (int)_bench.Result["burst"]!["sent"]!);
        Assert.Equal(20, (int)_bench.Result["run"]!["sent"]!);
        Assert.Contains("The queue in the burst", _bench.Html);
    }

    [Fact]
    public async Task Run_KeyFromFile_IsSentAndWrittenNowhere()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        var seen = new List<string?>();
        stub.Handle = (context, text, number) =>
        {
            lock (seen) seen.Add(context.Request.Headers.Authorization);
            return StubOrchestrator.AnswerAsync(context, text, number);
        };

        await _bench.RunAsync("run", stub.Address, "--key-file", _bench.Write("key", "secret-0123456789\n"), "--no-burst");

        Assert.All(seen, header => Assert.Equal("Bearer secret-0123456789", header));
        Assert.NotEmpty(seen);
        Assert.DoesNotContain("secret-0123456789", _bench.Output + _bench.Errors + _bench.Html + _bench.Result);
    }

    [Fact]
    public async Task Run_NobodyThere_SaysHowToStartAndEndsWithFour()
    {
        var stub = await StubOrchestrator.StartAsync();
        var gone = stub.Address;
        await stub.DisposeAsync();

        var code = await _bench.RunAsync("run", gone);

        Assert.Equal(ExitCode.CannotReach, code);
        Assert.Contains("dotnet run --project AppHost", _bench.Errors);
        Assert.False(Directory.Exists(_bench.Reports), "an empty report was left behind");
    }

    [Fact]
    public async Task Run_NoWorkerAlive_EndsWithFour()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        foreach (var name in stub.Workers.Keys.ToList()) stub.Workers[name] = stub.Workers[name] with { Status = "quarantined" };

        Assert.Equal(ExitCode.CannotReach, await _bench.RunAsync("run", stub.Address));
        Assert.Contains("no worker at work", _bench.Errors);
    }

    [Theory]
    [InlineData("--parallel", "0")]
    [InlineData("--parallel", "five")]
    [InlineData("--duration", "soon")]
    [InlineData("--rate", "-1")]
    [InlineData("--text-file", "/nowhere/at/all")]
    [InlineData("--parallel", "5", "--rate", "10")]
    [InlineData("--clients", "5", "--rate", "10")]
    [InlineData("--random", "--text-file", "a")]
    [InlineData("--max-outstanding", "5")]
    [InlineData("--colour")]
    public async Task Run_WrongCommandLine_SaysSoAndEndsWithTwo(params string[] arguments)
    {
        Assert.Equal(ExitCode.Usage, await _bench.RunAsync("run", new("http://127.0.0.1:9"), arguments));
        Assert.NotEmpty(_bench.Errors);
        Assert.DoesNotContain("   at ", _bench.Errors);
    }

    [Fact]
    public async Task Html_Report_NeedsNothingElse()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        stub.Handle = (context, text, number) => StubOrchestrator.AnswerAsync(context, text, number);
        await _bench.RunAsync("run", stub.Address);

        var html = _bench.Html;
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("src=", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("href=\"http", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("@import", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("prefers-color-scheme:dark", html);
        Assert.True(html.Split("<svg").Length > 6, "there are fewer pictures than expected");
        // A colour that stayed as it was drawn would be black on black in the dark.
        Assert.DoesNotContain("#0A0", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("stroke=\"black\"", html);
    }
}

using System.Text;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Workers;

/// <summary>What a worker says of itself and of who shares it is checked and bounded.</summary>
public sealed class WorkerPresenceTests : IDisposable
{
    // Its clock stands still: however slow this machine is, no answer comes too late.
    private readonly HttpWorkerClient _client = new(Options.Create(new OrchestratorOptions()), new FakeTimeProvider());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Ask_Worker_HearsTheIdAndIsUnderstood()
    {
        string? id = null;
        var report = await AskAsync(asked =>
        {
            id = asked;
            return Json("""{"orchestrators":["b","a","a"],"busy_ms":12.5,"leaving":{"reason":"spot interruption","at":"2026-01-01T00:00:00Z"},"more":1}""");
        });
        Assert.Equal("self", id);
        Assert.Equal(["a", "b"], report!.Orchestrators);
        Assert.Equal((TimeSpan.FromMilliseconds(12.5), "spot interruption"), (report.Busy, report.Leaving));
    }

    [Fact]
    public async Task Ask_WorkerOfAnEarlierVersion_IsSharedWithNobody() =>
        Assert.Same(PresenceReport.Alone, await AskAsync(_ => TypedResults.NotFound()));

    [Theory]
    [InlineData("""{"orchestrators":[],"busy_ms":1e300}""", 2000)]
    [InlineData("""{"orchestrators":[],"busy_ms":-5}""", 1)]
    [InlineData("""{"orchestrators":[],"busy_ms":null,"leaving":null}""", null)]
    public async Task Ask_AnyTime_IsBounded(string json, int? milliseconds) =>
        Assert.Equal(milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null, (await AskAsync(_ => Json(json)))!.Busy);

    [Theory]
    [InlineData("""{"orchestrators":[],"idle_ms":1e300}""", 2000)]
    [InlineData("""{"orchestrators":[],"idle_ms":-5}""", 0)]
    [InlineData("""{"orchestrators":[],"idle_ms":17}""", 17)]
    [InlineData("""{"orchestrators":[],"idle_ms":null}""", null)]
    public async Task Ask_IdleTime_IsBounded(string json, int? milliseconds) =>
        Assert.Equal(milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null, (await AskAsync(_ => Json(json)))!.Idle);

    [Fact]
    public async Task Ask_ReasonOfAnyKind_IsBoundedAndPlain()
    {
        var report = await AskAsync(_ => Json($$$"""{"orchestrators":[],"leaving":{"reason":"\u001b[31mgone\n{{{new string('x', 1000)}}}","at":"2026-01-01T00:00:00Z"}}"""));
        Assert.Equal(PresenceReport.MaxReason, report!.Leaving!.Length);
        Assert.StartsWith("?[31mgone?x", report.Leaving, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("no JSON")]
    [InlineData("""{"orchestrators":[null]}""")]
    [InlineData("""{"orchestrators":["a b"]}""")]
    [InlineData("""{"orchestrators":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]}""")]
    [InlineData("""{"orchestrators":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"]}""")]
    [InlineData("""{"orchestrators":[],"leaving":{}}""")]
    [InlineData("""{"orchestrators":[],"leaving":{"reason":"\ud800","at":"2026-01-01T00:00:00Z"}}""")]
    public async Task Ask_WhatCanBeNone_IsNoAnswer(string body) => Assert.Null(await AskAsync(_ => Json(body)));

    [Fact]
    public async Task Ask_Megabytes_IsNoAnswer() => Assert.Null(await AskAsync(_ => Json($$"""{"orchestrators":[],"more":"{{new string('x', 1024 * 1024)}}"}""")));

    [Fact]
    public async Task Ask_NobodyThere_IsNoAnswer() => Assert.Null(await _client.AskPresenceAsync(new("http://127.0.0.1:1"), "self", Cancellation));

    [Theory]
    [InlineData("x-lab-busy-ms: 17", 17, false)]
    [InlineData("X-Lab-Busy-Ms: 2000\r\nX-Lab-Wanted: 1", 2000, true)]
    [InlineData("x-lab-busy-ms: 2001", 0, false)]
    [InlineData("x-lab-busy-ms: 0", 0, false)]
    [InlineData("x-lab-busy-ms: -1", 0, false)]
    [InlineData("x-lab-busy-ms: 5 or so", 0, false)]
    [InlineData("x-lab-busy-ms: 99999999999999999999\r\nx-lab-wanted: 2", 0, false)]
    public void TryParse_WhatAWorkerTellsBesides_IsTakenIfItCanBe(string headers, int busyMs, bool wanted)
    {
        Assert.True(ResponseHead.TryParse(Encoding.ASCII.GetBytes($"HTTP/1.1 429 Too Many Requests\r\n{headers}\r\nContent-Length: 0\r\n\r\n"), out var head));
        Assert.Equal((busyMs, wanted), (head.BusyMs, head.IsWanted));
    }

    [Theory]
    [InlineData("17", 17)]
    [InlineData("100000", null)]
    public async Task Send_BusyWorker_TellsForHowLong(string told, int? milliseconds)
    {
        await using var worker = await StubWorker.StartAsync();
        worker.Handle = (_, context) =>
        {
            context.Response.Headers[DispatchHeaders.Busy] = told;
            return Task.FromResult<IResult>(TypedResults.StatusCode(429));
        };
        var call = new DispatchCall(1, new("worker-1", worker.Address), [new(Guid.CreateVersion7(), "a", TimeSpan.FromSeconds(30))], 0);
        Assert.Equal(new WorkerReply.Busy(milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null), await _client.SendAsync(call));
    }

    [Fact]
    public async Task Send_WorkerThatOthersWant_SaysSo()
    {
        await using var worker = await StubWorker.StartAsync();
        worker.Handle = (text, context) =>
        {
            context.Response.Headers[DispatchHeaders.Wanted] = "1";
            return Task.FromResult(StubWorker.Answer(text));
        };
        var call = new DispatchCall(1, new("worker-1", worker.Address), [new(Guid.CreateVersion7(), "a", TimeSpan.FromSeconds(30))], 0);
        Assert.True(Assert.IsType<WorkerReply.Answered>(await _client.SendAsync(call)).IsWanted);
        worker.Handle = (text, _) => Task.FromResult(StubWorker.Answer(text));
        Assert.False(Assert.IsType<WorkerReply.Answered>(await _client.SendAsync(call)).IsWanted);
    }

    private static ContentHttpResult Json(string body) => TypedResults.Text(body, "application/json");

    private async Task<PresenceReport?> AskAsync(Func<string, IResult> answer)
    {
        await using var worker = await StubWorker.StartAsync();
        worker.HandlePresence = answer;
        return await _client.AskPresenceAsync(worker.Address, "self", Cancellation);
    }
}

using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;
using Microsoft.Extensions.DependencyInjection;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

public sealed class WorkersStreamTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stream_TellsTheTableAtFirstAndAtEachChange()
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await OpenAsync(lab);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal(0, (await ReadAsync(reader))["worker-1"].Completed);

        using var answer = await lab.PostAsync("a");
        await UntilAsync(reader, worker => worker.Completed == 1);

        using var drain = await lab.Client.PostAsync("/workers/worker-1/drain", content: null, Cancellation);
        await UntilAsync(reader, worker => worker.Status == "draining");
    }

    [Fact]
    public async Task Stream_NoNews_SaysSo()
    {
        await using var lab = await StartAsync(workers: 0);
        lab.Services.GetRequiredService<Lab.Orchestrator.Api.WorkersFeed>().Heartbeat = TimeSpan.FromMilliseconds(1);
        using var response = await OpenAsync(lab);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        List<string?> lines = [];
        while (lines.Count < 5) lines.Add(await ReadLineAsync(reader));
        // Comments, by the HTML standard's words on event streams: no client takes them for an event.
        Assert.Equal(["data: {}", "", ": nothing new", "", ": nothing new"], lines);
    }

    [Fact]
    public async Task Stream_TooMany_AreRefusedUntilOneEnds()
    {
        await using var lab = await StartAsync(workers: 0);
        var streams = new List<HttpResponseMessage>();
        for (var i = 0; i < Lab.Orchestrator.Api.WorkersFeed.MaxStreams; i++) streams.Add(await OpenAsync(lab));
        using (var refused = await OpenAsync(lab)) await ReadProblemAsync(refused, 429);
        using (await lab.Client.GetAsync("/workers", Cancellation)) streams[0].Dispose();
        await Eventually.TrueAsync(async () =>
        {
            using var again = await OpenAsync(lab);
            return again.StatusCode is HttpStatusCode.OK;
        }, "a stream in the ended one's place");

        foreach (var stream in streams) stream.Dispose();
    }

    [Fact]
    public async Task Stream_OneKey_TakesNotAllOfThem()
    {
        const string Other = "key-of-bob-0123456789";
        await using var lab = await StartAsync(workers: 0, "key-of-alice-0123456789", ["--Access:Keys:alice=key-of-alice-0123456789", $"--Access:Keys:bob={Other}"]);
        var streams = new List<HttpResponseMessage>();
        for (var i = 0; i < Lab.Orchestrator.Api.WorkersFeed.MaxStreamsPerKey; i++) streams.Add(await OpenAsync(lab));
        Assert.All(streams, stream => Assert.Equal(HttpStatusCode.OK, stream.StatusCode));
        using (var refused = await OpenAsync(lab)) await ReadProblemAsync(refused, 429);
        lab.Client.DefaultRequestHeaders.Authorization = new("Bearer", Other);
        using (var other = await OpenAsync(lab)) Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        foreach (var stream in streams) stream.Dispose();
    }

    [Fact]
    public async Task Stream_ServerStops_Ends()
    {
        var lab = await StartAsync(workers: 0);
        using var response = await OpenAsync(lab);
        var reading = response.Content.ReadAsStringAsync(Cancellation);
        await Eventually.DoneAsync(lab.StopAsync(), "the orchestrator has stopped", limit: TimeSpan.FromSeconds(15));
        Assert.Contains("data: {}", await reading, StringComparison.Ordinal);
        await lab.DisposeAsync();
    }

    private static Task<HttpResponseMessage> OpenAsync(RunningOrchestrator lab) =>
        lab.Client.SendAsync(new(HttpMethod.Get, "/workers?stream"), HttpCompletionOption.ResponseHeadersRead, Cancellation);

    private static Task UntilAsync(StreamReader reader, Func<WorkerStatus, bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        return Eventually.DoneAsync(ReadUntilAsync(), what);

        async Task ReadUntilAsync()
        {
            while (!condition((await ReadAsync(reader))["worker-1"])) { }
        }
    }

    private static Task<string?> ReadLineAsync(StreamReader reader) => Eventually.DoneAsync(reader.ReadLineAsync(Cancellation).AsTask(), "a line of the stream");

    private static async Task<Dictionary<string, WorkerStatus>> ReadAsync(StreamReader reader)
    {
        while (true)
        {
            var line = await ReadLineAsync(reader);
            Assert.NotNull(line);
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                return JsonSerializer.Deserialize(line["data: ".Length..], WireJson.Relaxed.DictionaryStringWorkerStatus)!;
        }
    }
}

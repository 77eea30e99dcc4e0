using System.Globalization;
using System.Net;
using System.Text;
using Lab.Orchestrator.Dispatch;
using Lab.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

public sealed class NewRequestTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_Text_GivesTheWorkersAnswerAndItsOwnPart()
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await lab.PostAsync("naïve 文 \"quoted\"");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var body = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("naïve 文 \\\"quoted\\\"", body, StringComparison.Ordinal);
        Assert.Contains("\"inference_ms\":1.5", body, StringComparison.Ordinal);

        var answer = await ReadAnswerAsync(response);
        Assert.Equal(("worker-1", 1, 1, "POSITIVE"), (answer.Worker, answer.Attempts, answer.BatchSize, answer.Label));
        Assert.Equal([0.25f, 0.75f], answer.Probabilities);
        Assert.Equal(7, Guid.Parse(answer.RequestId).Version);
        Assert.True(answer.QueueMs >= 0);
    }

    [Fact]
    public async Task Post_PlainTextAndNothing_AreBothClassified()
    {
        await using var lab = await StartAsync(workers: 1);
        using var plain = await lab.PostAsync("as it is"u8.ToArray(), "text/plain");
        Assert.Equal("as it is", (await ReadAnswerAsync(plain)).InputText);
        using var nothing = await lab.Client.PostAsync("/new_request", content: null, Cancellation);
        Assert.Equal(50, (await ReadAnswerAsync(nothing)).InputText.Length);
    }

    [Theory]
    [InlineData("{\"text\":\"\"}", "application/json", 400)]
    [InlineData("null", "application/json", 400)]
    [InlineData("{\"text\"", "application/json", 400)]
    [InlineData("{\"text\":\"\\udc00\"}", "application/json", 400)]
    [InlineData("{\"text\":[\"a\"]}", "application/json", 422)]
    [InlineData("text=a", "application/x-www-form-urlencoded", 415)]
    [InlineData("<p>", "text/html", 415)]
    public async Task Post_BadBody_IsAProblemAndReachesNoWorker(string body, string contentType, int status)
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await lab.PostAsync(Encoding.UTF8.GetBytes(body), contentType);
        Assert.NotEmpty(await ReadProblemAsync(response, status));
        Assert.Empty(lab.Workers[0].Texts);
    }

    [Fact]
    public async Task Post_InvalidUtf8_Is400()
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await lab.PostAsync([0xFF, 0xFE, 0x41], "text/plain");
        Assert.Contains("UTF-8", await ReadProblemAsync(response, 400), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Post_TwoMegabytes_Is413(bool chunked)
    {
        await using var lab = await StartAsync(workers: 1);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request");
        request.Content = new ByteArrayContent(Encoding.ASCII.GetBytes(new string('a', 2 * 1024 * 1024)));
        request.Content.Headers.ContentType = new("text/plain");
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true;
        using var response = await lab.Client.SendAsync(request, Cancellation);
        Assert.Contains("1048576", await ReadProblemAsync(response, 413), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_LargestBody_ReachesTheWorkerWhole()
    {
        await using var lab = await StartAsync(workers: 1);
        var text = string.Concat(Enumerable.Repeat("é\u0001\n", 250_000));
        using var response = await lab.PostAsync(Encoding.UTF8.GetBytes(text), "text/plain; charset=utf-8");
        Assert.Equal(text, (await ReadAnswerAsync(response)).InputText);
        Assert.Equal(text, Assert.Single(lab.Workers[0].Texts));
    }

    [Fact]
    public async Task Get_IsNotAllowedAndUnknownPathIsNotFound_BothAsProblems()
    {
        await using var lab = await StartAsync(workers: 1);
        using var get = await lab.Client.GetAsync("/new_request", Cancellation);
        await ReadProblemAsync(get, 405);
        using var unknown = await lab.Client.GetAsync("/nothing", Cancellation);
        await ReadProblemAsync(unknown, 404);
    }

    [Fact]
    public async Task Post_NoWorker_Is503AndHealthSaysSo()
    {
        await using var lab = await StartAsync(workers: 0);
        using var response = await lab.PostAsync("a");
        await ReadProblemAsync(response, 503);
        Assert.Equal("1", response.Headers.GetValues("Retry-After").Single());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await lab.Client.GetAsync("/health", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await lab.Client.GetAsync("/alive", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Post_QueueFull_Is429WithRetryAfter()
    {
        await using var lab = await StartAsync(workers: 1, "--Orchestrator:QueueCapacity=1");
        var release = new TaskCompletionSource();
        lab.Workers[0].Handle = async (text, _) =>
        {
            await release.Task;
            return StubWorker.Answer(text);
        };
        var running = lab.PostAsync("running");
        await lab.UntilAsync(table => table["worker-1"].Status == "busy");
        var posts = Enumerable.Range(0, 5).Select(i => lab.PostAsync($"{i}")).ToList();
        for (var refused = 0; refused < 4; refused++)
        {
            var first = await Task.WhenAny(posts);
            posts.Remove(first);
            using var response = await first;
            await ReadProblemAsync(response, 429);
            Assert.InRange(int.Parse(response.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture), 1, 60);
        }

        release.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await running).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Assert.Single(posts)).StatusCode);
    }

    [Fact]
    public async Task Post_DeadlinePasses_Is504()
    {
        await using var lab = await StartAsync(workers: 1, "--Orchestrator:Deadline=00:00:00.2");
        lab.Workers[0].Handle = async (text, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return StubWorker.Answer(text);
        };
        using var response = await lab.PostAsync("a");
        Assert.Contains("0.2 s", await ReadProblemAsync(response, 504), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_WorkersFail_GoesToAnotherAndAfterThreeIs502()
    {
        await using var lab = await StartAsync(workers: 3);
        foreach (var worker in lab.Workers.Take(2)) worker.Handle = (_, _) => Task.FromResult<IResult>(TypedResults.StatusCode(500));
        using var third = await lab.PostAsync("third");
        var answer = await ReadAnswerAsync(third);
        var failures = (await lab.GetWorkersAsync()).Values.Sum(worker => worker.Failed);
        Assert.Equal((failures + 1, "worker-3"), (answer.Attempts, answer.Worker));

        await lab.UntilAsync(table => table.Values.All(worker => worker.Status == "free"));
        foreach (var worker in lab.Workers) worker.Handle = (_, context) =>
        {
            context.Abort();
            return Task.FromResult<IResult>(TypedResults.Empty);
        };
        using var failed = await lab.PostAsync("never");
        Assert.Contains("3 attempts", await ReadProblemAsync(failed, 502), StringComparison.Ordinal);
        // On a connection that was kept it goes out once more: the worker may just have closed it.
        Assert.All(lab.Workers, worker => Assert.InRange(worker.Texts.Count(text => text == "never"), 1, 2));
    }

    [Theory]
    [InlineData("{\"label\":\"A\"}")]
    [InlineData("{\"input_text\":\"a\",\"label\":\"A\",\"probabilities\":[],\"inference_ms\":1,\"truncated\":false}")]
    [InlineData("not json")]
    public async Task Post_WorkerAnswersNonsense_GoesToAnother(string nonsense)
    {
        await using var lab = await StartAsync(workers: 2);
        lab.Workers[0].Handle = (_, _) => Task.FromResult<IResult>(TypedResults.Content(nonsense, "application/json"));
        using var response = await lab.PostAsync("a");
        Assert.Equal("worker-2", (await ReadAnswerAsync(response)).Worker);
    }

    [Fact]
    public async Task Post_TwoWorkersRejectTheText_Is422WithTheirReason()
    {
        await using var lab = await StartAsync(workers: 2);
        foreach (var worker in lab.Workers)
            worker.Handle = (_, _) => Task.FromResult<IResult>(TypedResults.Problem("too strange", statusCode: 422));
        using var response = await lab.PostAsync("a");
        Assert.Equal("too strange", await ReadProblemAsync(response, 422));
        Assert.All(lab.Workers, worker => Assert.Single(worker.Texts));
        Assert.All((await lab.GetWorkersAsync()).Values, worker => Assert.Equal("free", worker.Status));
    }

    [Fact]
    public async Task Post_ClientHangsUpWaiting_IsNeverDispatched()
    {
        await using var lab = await StartAsync(workers: 1);
        var release = new TaskCompletionSource();
        lab.Workers[0].Handle = async (text, _) =>
        {
            await release.Task;
            return StubWorker.Answer(text);
        };
        var running = lab.PostAsync("running");
        await lab.UntilAsync(table => table["worker-1"].Status == "busy");
        using var gone = new CancellationTokenSource();
        var waiting = lab.Client.PostAsync("/new_request", new StringContent("gone"), gone.Token);
        await Eventually.TrueAsync(
            async () => (await lab.Services.GetRequiredService<Dispatcher>().TakeSnapshotAsync(0, Cancellation)).Queued == 1, "the second waits");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await lab.UntilLoggedAsync("hung up");
        release.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await running).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await lab.PostAsync("next")).StatusCode);
        Assert.Equal(["running", "next"], lab.Workers[0].Texts);
    }

    [Fact]
    public async Task Post_FiveHundredAtOnce_OneAtATimePerWorkerAndInOrder()
    {
        await using var lab = await StartAsync(workers: 8);
        var computing = new int[8];
        var together = 0;
        for (var i = 0; i < 8; i++)
        {
            var worker = i;
            lab.Workers[i].Handle = async (text, _) =>
            {
                if (Interlocked.Increment(ref computing[worker]) > 1) Interlocked.Increment(ref together);
                await Task.Yield();
                Interlocked.Decrement(ref computing[worker]);
                return StubWorker.Answer(text);
            };
        }

        var responses = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => lab.PostAsync($"text {i}")));
        var answers = new List<ServiceDefaults.Contracts.RequestAnswer>();
        foreach (var response in responses) answers.Add(await ReadAnswerAsync(response));
        Assert.Equal(500, answers.Select(answer => answer.RequestId).Distinct().Count());
        Assert.Equal(500, answers.Select(answer => answer.InputText).Distinct().Count());
        Assert.Equal(0, together);
        var table = await lab.GetWorkersAsync();
        Assert.All(table.Values, worker => Assert.True(worker.Completed > 0));
        Assert.Equal(500, table.Values.Sum(worker => worker.Completed));
    }

    [Fact]
    public async Task Post_Backlog_TravelsInBatchesAndAPoisonousTextFailsAlone()
    {
        await using var lab = await StartAsync(workers: 4, "--Orchestrator:MaxBatch=8");
        var release = new TaskCompletionSource();
        foreach (var worker in lab.Workers)
        {
            worker.Handle = async (text, _) =>
            {
                await release.Task;
                return text == "poison" ? TypedResults.StatusCode(500) : StubWorker.Answer(text);
            };
            var whole = worker.HandleBatch;
            worker.HandleBatch = texts => texts.Contains("poison") ? Task.FromResult<IResult>(TypedResults.StatusCode(500)) : whole(texts);
        }

        var posts = Enumerable.Range(0, 60).Select(i => lab.PostAsync(i == 30 ? "poison" : $"text {i}")).ToList();
        await lab.UntilLoggedAsync("arrival 4,");
        release.SetResult();
        var responses = await Task.WhenAll(posts);
        await ReadProblemAsync(responses[30], 502);
        var answers = new List<ServiceDefaults.Contracts.RequestAnswer>();
        foreach (var response in responses.Where((_, i) => i != 30)) answers.Add(await ReadAnswerAsync(response));
        Assert.Equal(59, answers.Select(answer => answer.InputText).Distinct().Count());
        Assert.Contains(answers, answer => answer.BatchSize > 1);
        Assert.All(lab.Workers.SelectMany(worker => worker.Batches), size => Assert.InRange(size, 2, 8));
    }

    [Fact]
    public async Task Post_TraceContext_GoesThroughToTheWorker()
    {
        await using var lab = await StartAsync(workers: 1);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request") { Content = new StringContent("a") };
        request.Headers.Add("tracestate", "vendor=1");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        using var response = await lab.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", Assert.Single(lab.Workers[0].TraceParents), StringComparison.Ordinal);
    }
}

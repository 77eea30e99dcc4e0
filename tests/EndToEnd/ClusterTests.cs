using System.Net;
using System.Text;
using Lab.EndToEnd.Cluster;
using Lab.EndToEnd.Otlp;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;

namespace Lab.EndToEnd;

/// <summary>The running cluster, used as its users use it.</summary>
public sealed class ClusterTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static readonly string[] Sentences =
    [
        "I loved every minute of it", "A dull, lifeless mess", "excellent product, works as advertised",
        "terrible service, never again", "what a wonderful surprise", "boring from start to finish",
        "the best film of the year", "the worst meal of my life", "a warm and funny story", "a complete waste of time",
        "brilliant acting and a clever script", "painfully slow and far too long", "my children adored it",
        "an embarrassing failure", "fresh, original and moving", "flat jokes and cheap effects", "a delight",
        "utterly disappointing", "great value and fast delivery", "it broke after one day",
    ];

    private HostedCluster Cluster => fixture.Cluster;

    [Fact]
    public async Task Workers_AfterStart_AreEightWithAddresses()
    {
        await Cluster.UntilFreeAsync(ClusterFixture.WorkerCount);
        var table = await Cluster.GetWorkersAsync();
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"worker-{i}"), table.Keys.Order());
        Assert.Equal(8, table.Values.Select(worker => worker.Port).Distinct().Count());
    }

    [Fact]
    public async Task NewRequest_TwentySentencesAtOnce_AllComeBackWithEverything()
    {
        var answers = await Task.WhenAll(Sentences.Select(Cluster.AskAsync));
        Assert.Equal(Sentences, answers.Select(answer => answer.InputText));
        Assert.All(answers, answer =>
        {
            Assert.Equal(1, answer.Probabilities.Sum(), tolerance: 1e-4);
            Assert.All(answer.Probabilities, p => Assert.InRange(p, 0, 1));
            Assert.Equal(answer.Probabilities[1] > answer.Probabilities[0] ? "POSITIVE" : "NEGATIVE", answer.Label);
            Assert.StartsWith("worker-", answer.Worker, StringComparison.Ordinal);
            Assert.True(answer.InferenceMs > 0);
            Assert.True(answer.QueueMs >= 0);
        });
        Assert.Equal(20, answers.Select(answer => answer.RequestId).Distinct().Count());
        Assert.Equal("POSITIVE", answers[0].Label);
        Assert.Equal("NEGATIVE", answers[1].Label);
    }

    [Fact]
    public async Task NewRequest_OneWorkerFrozenThenKilledAmongThreeThousand_AllAreAnsweredOnceAndItServesAgain()
    {
        await Cluster.UntilFreeAsync(ClusterFixture.WorkerCount);
        var victim = Cluster.PidOf("worker-3");
        var completed = (await Cluster.GetWorkersAsync()).Values.Sum(worker => worker.Completed);
        var asked = Enumerable.Range(0, 3000).Select(i => Cluster.AskAsync($"sentence number {i} is fine")).ToList();
        await Task.WhenAny(asked);
        ChildProcess.Signal(victim, ChildProcess.Stop);
        // It is in the middle of something that nobody else has computed yet when it dies.
        await Cluster.UntilAsync(async () => (await Cluster.GetWorkersAsync()).Count(worker => worker.Value.Status == "busy") == 1, "end of all that is not frozen");
        Assert.Equal("busy", (await Cluster.GetWorkersAsync())["worker-3"].Status);
        ChildProcess.Signal(victim, ChildProcess.Kill);

        var answers = await Task.WhenAll(asked);
        Assert.Equal(3000, answers.Select(answer => answer.InputText).Distinct().Count());
        Assert.Equal(3000, answers.Select(answer => answer.RequestId).Distinct().Count());
        Assert.Equal(completed + 3000, (await Cluster.GetWorkersAsync()).Values.Sum(worker => worker.Completed));

        await Cluster.UntilFreeAsync(ClusterFixture.WorkerCount);
        Assert.NotEqual(victim, Cluster.PidOf("worker-3"));
        var before = (await Cluster.GetWorkersAsync())["worker-3"].Completed;
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Cluster.AskAsync($"again {i}")));
        Assert.True((await Cluster.GetWorkersAsync())["worker-3"].Completed > before);
    }

    [Fact]
    public async Task NewRequest_FiveHundredAtOnce_AreDispatchedInOrderOneAtATimePerWorker()
    {
        await Cluster.UntilFreeAsync(ClusterFixture.WorkerCount);
        var answers = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Cluster.AskAsync($"queued {i}")));
        Assert.Equal(8, answers.Select(answer => answer.Worker).Distinct().Count());
        var ids = answers.Select(answer => answer.RequestId).ToHashSet();
        var dispatches = new List<ReceivedSpan>();
        await Cluster.UntilAsync(() =>
        {
            dispatches = [.. fixture.Receiver.Spans
                .Where(span => span.Name == "dispatch" && ids.Contains(span.Attributes["lab.request_id"]))
                .OrderBy(span => span.Number("lab.dispatch"))];
            return Task.FromResult(dispatches.Sum(span => span.Number("lab.batch_size")) == 500);
        }, "dispatch spans of 500 requests");

        // The workers refuse a second computation themselves: that none did proves that none was asked.
        Assert.All(dispatches, span => Assert.Equal("answered", span.Attributes["lab.result"]));
        for (var i = 1; i < dispatches.Count; i++)
        {
            var previous = dispatches[i - 1];
            Assert.Equal(previous.Number("lab.arrival") + previous.Number("lab.batch_size"), dispatches[i].Number("lab.arrival"));
        }
    }

    [Fact]
    public async Task NewRequest_WithTraceContext_IsOneTraceDownToTheInference()
    {
        const string TraceId = "0af7651916cd43dd8448eb211c80319c";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request") { Content = new StringContent("a fine day") };
        request.Headers.Add("traceparent", $"00-{TraceId}-b7ad6b7169203331-01");
        using var response = await Cluster.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        string[] wanted = ["POST /new_request", "queue", "dispatch", "POST /run_model", "tokenize", "inference"];
        var spans = new Dictionary<string, ReceivedSpan>();
        await Cluster.UntilAsync(() =>
        {
            spans = fixture.Receiver.Spans.Where(span => span.TraceId == TraceId).DistinctBy(span => span.Name).ToDictionary(span => span.Name);
            return Task.FromResult(wanted.All(spans.ContainsKey));
        }, "the spans " + string.Join(", ", wanted));

        Assert.Equal("b7ad6b7169203331", spans["POST /new_request"].ParentSpanId);
        Assert.Equal(spans["POST /new_request"].SpanId, spans["queue"].ParentSpanId);
        Assert.Equal(spans["POST /new_request"].SpanId, spans["dispatch"].ParentSpanId);
        Assert.Equal(spans["dispatch"].SpanId, spans["POST /run_model"].ParentSpanId);
        Assert.Equal(spans["POST /run_model"].SpanId, spans["tokenize"].ParentSpanId);
        Assert.Equal(spans["POST /run_model"].SpanId, spans["inference"].ParentSpanId);
        Assert.Equal(spans["dispatch"].Attributes["lab.worker"], spans["POST /run_model"].Service);
        Assert.Equal(1, spans["dispatch"].Number("lab.attempt"));
        Assert.Equal(1, spans["dispatch"].Number("lab.batch_size"));
        Assert.Equal(5, spans["tokenize"].Number("lab.token_count"));
    }

    [Fact]
    public async Task NewRequest_HundredThousandWords_IsTruncatedAndSaidSo()
    {
        var answer = await Cluster.AskAsync(string.Join(' ', Enumerable.Repeat("good", 100_000)));
        Assert.True(answer.Truncated);
        Assert.Equal(499_999, answer.InputText.Length);
    }

    [Theory]
    [InlineData("{\"text\":\"\"}", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("null", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("{\"text\":\"\\ud800\"}", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("{", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("a", "application/x-www-form-urlencoded", HttpStatusCode.UnsupportedMediaType)]
    public async Task NewRequest_BadInput_IsAProblem(string body, string contentType, HttpStatusCode expected)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = new(contentType);
        using var response = await Cluster.Client.PostAsync("/new_request", content, TestContext.Current.CancellationToken);
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }
}

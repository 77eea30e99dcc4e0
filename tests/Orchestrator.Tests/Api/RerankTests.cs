using System.Globalization;
using System.Text;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary><c>POST /rerank</c> before workers whose logit of a pair is the number that its second text begins with.</summary>
public sealed class RerankTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ProblemType.SingleLabel)]
    [InlineData(ProblemType.MultiLabel)]
    [InlineData(ProblemType.Regression)]
    public async Task Post_Texts_AreSortedByTheLogisticFunctionOfTheirLogits(ProblemType problem)
    {
        await using var worker = await RerankerAsync(problem);
        await using var lab = await BeforeAsync(worker);
        using var response = await PostAsync(lab, """{"query":"q","texts":["-1","2","0","2"]}""");
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal([(1, 0.8808, null), (3, 0.8808, null), (2, 0.5, null), (0, 0.2689, null)], await RanksAsync(response));
        foreach (var header in (string[])["x-lab-worker", "x-queue-time", "x-inference-time"]) Assert.Single(response.Headers.GetValues(header));
        // The query is the first of each pair.
        Assert.All(worker.Texts, text => Assert.Equal("q", text));
        Assert.Equal(["-1", "0", "2", "2"], worker.BatchRequests.SelectMany(batch => batch.Options!).Select(options => options!.Pair!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(ProblemType.SingleLabel)]
    [InlineData(ProblemType.Regression)]
    public async Task Post_RawScoresAndTexts_AreLogitsWithTheirTexts(ProblemType problem)
    {
        await using var worker = await RerankerAsync(problem);
        await using var lab = await BeforeAsync(worker);
        using var response = await PostAsync(lab, """{"query":"q","texts":["-1","2 is long"],"raw_scores":true,"return_text":true,"truncate":true,"truncation_direction":"Left"}""");
        Assert.Equal(
            """[{"index":1,"text":"2 is long","score":2},{"index":0,"text":"-1","score":-1}]""",
            await response.Content.ReadAsStringAsync(Cancellation));
        Assert.All(worker.BatchRequests.SelectMany(batch => batch.Options!), options => Assert.True(options!.CutLeft));
    }

    [Fact]
    public async Task Post_ModelWithTwoLabels_IsRefusedByName()
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await PostAsync(lab, """{"query":"q","texts":["a"]}""");
        Assert.Contains("stub is not a re-ranker: it has 2 labels", await ReadErrorAsync(response, 424, "backend"), StringComparison.Ordinal);
        Assert.Empty(lab.Workers[0].Texts);
    }

    [Theory]
    [InlineData("""{"query":"q","texts":[]}""", 400, "empty")]
    [InlineData("""{"query":" ","texts":["a"]}""", 400, "validation")]
    [InlineData("""{"query":"q","texts":["a",""]}""", 400, "validation")]
    [InlineData("""{"query":"q","texts":["a"] """, 400, "validation")]
    [InlineData("""{"query":"\udc00","texts":["a"]}""", 400, "validation")]
    [InlineData("", 400, "validation")]
    [InlineData("[]", 422, "validation")]
    [InlineData("""{"texts":["a"]}""", 422, "validation")]
    [InlineData("""{"query":"q"}""", 422, "validation")]
    [InlineData("""{"query":"q","texts":"a"}""", 422, "validation")]
    [InlineData("""{"query":["q"],"texts":["a"]}""", 422, "validation")]
    [InlineData("""{"query":"q","texts":[["a"]]}""", 422, "validation")]
    [InlineData("""{"query":"q","texts":["a"],"return_text":1}""", 422, "validation")]
    [InlineData("""{"query":"q","texts":["a"],"truncation_direction":"up"}""", 422, "validation")]
    [InlineData("""{"query":"q","texts":["1","2 is long"]}""", 413, "validation")]
    public async Task Post_BadBody_IsAnErrorOfTheProtocol(string body, int status, string type)
    {
        await using var worker = await RerankerAsync();
        await using var lab = await BeforeAsync(worker);
        using var response = await PostAsync(lab, body);
        Assert.NotEmpty(await ReadErrorAsync(response, status, type));
    }

    [Fact]
    public async Task Post_ManyTexts_AreTakenAllOrNone()
    {
        await using var worker = await RerankerAsync();
        await using var lab = await BeforeAsync(worker, "--Orchestrator:QueueCapacity=31");
        using (var tooMany = await PostAsync(lab, Body(33))) await ReadErrorAsync(tooMany, 413, "validation");
        using (var noRoom = await PostAsync(lab, Body(32))) await ReadErrorAsync(noRoom, 429, "overloaded");
        Assert.Empty(worker.Texts);
        using var taken = await PostAsync(lab, Body(31));
        Assert.Equal(Enumerable.Range(0, 31).Reverse(), (await RanksAsync(taken)).Select(rank => rank.Index));

        static string Body(int count) => $$"""{"query":"q","texts":[{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{i / 10.0}\""))}}]}""";
    }

    [Theory]
    [InlineData("""{"label":"LABEL_0","probabilities":[1.5],"truncated":false}""", false)]
    [InlineData("""{"label":"LABEL_0","probabilities":[0.5,0.5],"truncated":false}""", false)]
    [InlineData("""{"label":"LABEL_0","probabilities":[],"truncated":false}""", false)]
    [InlineData("""{"label":"other","probabilities":[0.5],"truncated":false}""", false)]
    [InlineData("""{"label":"LABEL_0","probabilities":[0.5],"truncated":false}""", true)]
    [InlineData("""{"label":"LABEL_0","probabilities":[0.5],"truncated":false,"logits":[1,2]}""", true)]
    public async Task Post_OneWorkerAnswersWhatCannotBe_TheOtherAnswers(string result, bool rawScores)
    {
        await using var good = await RerankerAsync();
        await using var bad = await RerankerAsync();
        bad.HandleBatch = texts => Task.FromResult<IResult>(TypedResults.Json(
            new BatchAnswer(2.5, [.. texts.Select(_ => JsonSerializer.Deserialize<BatchResult>(result, WireJson.Relaxed.Options)!)]), WireJson.Relaxed.BatchAnswer));
        await using var lab = await StartAsync(workers: 0, $"--Workers:good={good.Address}", $"--Workers:bad={bad.Address}",
            "--Orchestrator:QuarantineMin=00:01:00", "--Orchestrator:QuarantineMax=00:01:00");
        await lab.UntilAsync(table => table.Values.All(worker => worker.Status == "free"));
        for (var i = 0; i < 4 && bad.Texts.IsEmpty; i++)
        {
            using var response = await PostAsync(lab, $$"""{"query":"q","texts":["1","2","3"],"raw_scores":{{(rawScores ? "true" : "false")}}}""");
            Assert.Equal([2, 1, 0], (await RanksAsync(response)).Select(rank => rank.Index));
        }

        Assert.Equal("quarantined", (await lab.GetWorkersAsync())["bad"].Status);
    }

    private static async Task<StubWorker> RerankerAsync(ProblemType problem = ProblemType.SingleLabel)
    {
        var worker = await StubWorker.StartAsync(problem, ["LABEL_0"], [0.5f]);
        worker.HandleBatch = _ => Task.FromResult<IResult>(TypedResults.Json(
            new BatchAnswer(2.5, [.. worker.BatchRequests.Last().Options!.Select(options => ResultOf(options!, problem))]), WireJson.Relaxed.BatchAnswer));
        return worker;
    }

    private static BatchResult ResultOf(TextOptions options, ProblemType problem)
    {
        var words = options.Pair!.Split(' ');
        var logit = float.Parse(words[0], CultureInfo.InvariantCulture);
        float[] scores = [problem is ProblemType.Regression ? logit : ScoreFunctions.Logistic(logit)];
        return new("LABEL_0", scores, Truncated: words.Length > 1, Logits: options.RawScores ? [logit] : null,
            Labels: problem is ProblemType.MultiLabel ? MultiLabel.LabelsOf(scores, ["LABEL_0"]) : null);
    }

    private static async Task<RunningOrchestrator> BeforeAsync(StubWorker worker, params string[] settings)
    {
        var lab = await StartAsync(workers: 0, [$"--Workers:worker-1={worker.Address}", .. settings]);
        await lab.UntilAsync(table => table["worker-1"].Status == "free");
        return lab;
    }

    private static Task<HttpResponseMessage> PostAsync(RunningOrchestrator lab, string body) =>
        lab.Client.PostAsync("/rerank", new StringContent(body, Encoding.UTF8, "application/json"), Cancellation);

    private static async Task<List<(int Index, double Score, string? Text)>> RanksAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, body);
        using var json = JsonDocument.Parse(body);
        return [.. json.RootElement.EnumerateArray().Select(rank => (
            rank.GetProperty("index").GetInt32(), Math.Round(rank.GetProperty("score").GetDouble(), 4),
            rank.TryGetProperty("text", out var text) ? text.GetString() : null))];
    }

    private static async Task<string> ReadErrorAsync(HttpResponseMessage response, int status, string type)
    {
        Assert.Equal(status, (int)response.StatusCode);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(type, json.RootElement.GetProperty("error_type").GetString());
        return json.RootElement.GetProperty("error").GetString()!;
    }
}

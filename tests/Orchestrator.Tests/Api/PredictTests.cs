using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>The request forms and errors of text-embeddings-inference's docs/openapi.json.</summary>
public sealed class PredictTests
{
    private const string Scores = """[{"score":0.75,"label":"POSITIVE"},{"score":0.25,"label":"NEGATIVE"}]""";
    private const string RawScores = """[{"score":0.1,"label":"POSITIVE"},{"score":-1,"label":"NEGATIVE"}]""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"inputs":"What is Deep Learning?"}""", Scores)]
    [InlineData("""{"inputs":["What is Deep Learning?"]}""", Scores)]
    [InlineData("""{"inputs":["What is Deep Learning?","Deep Learning is…"]}""", Scores)]
    [InlineData("""{"inputs":[["What is Deep Learning?"]]}""", $"[{Scores}]")]
    [InlineData("""{"inputs":[["What is Deep Learning?"],["a","pair"],["c"]]}""", $"[{Scores},{Scores},{Scores}]")]
    [InlineData("""{"inputs":"a","raw_scores":true,"truncate":false,"truncation_direction":"Right"}""", RawScores)]
    [InlineData("""{"inputs":[["a"],["b","c"]],"raw_scores":true,"truncate":true,"truncation_direction":"Left"}""", $"[{RawScores},{RawScores}]")]
    [InlineData("""{"inputs":"too long","truncate":true}""", Scores)]
    public async Task Post_EveryForm_GivesFallingScores(string body, string expected)
    {
        await using var lab = await StartAsync(workers: 2);
        using var response = await PostAsync(lab, body);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(expected, await response.Content.ReadAsStringAsync(Cancellation));
        Assert.StartsWith("worker-", response.Headers.GetValues("x-lab-worker").Single(), StringComparison.Ordinal);
        foreach (var header in (string[])["x-queue-time", "x-inference-time"])
            Assert.True(double.Parse(response.Headers.GetValues(header).Single(), CultureInfo.InvariantCulture) >= 0);
    }

    [Fact]
    public async Task Post_PairAndPolicy_ReachTheWorkerAndPlainTextsStayPlain()
    {
        await using var lab = await StartAsync(workers: 1, "--Orchestrator:MaxBatch=1");
        using var plain = await PostAsync(lab, """{"inputs":"plain"}""");
        Assert.Empty(lab.Workers[0].BatchRequests);
        using var pair = await PostAsync(lab, """{"inputs":["a","b"],"truncate":true,"truncation_direction":"left","raw_scores":true}""");
        var batch = Assert.Single(lab.Workers[0].BatchRequests);
        Assert.Equal(["a"], batch.Texts);
        Assert.Equal(new("b", CutLeft: true, RawScores: true), Assert.Single(batch.Options!));
    }

    [Theory]
    [InlineData("""{"inputs":[]}""", 400, "empty")]
    [InlineData("""{"inputs":""}""", 400, "validation")]
    [InlineData("""{"inputs":"a" """, 400, "validation")]
    [InlineData("""{"inputs":7}""", 422, "validation")]
    [InlineData("""{"inputs":"too long"}""", 413, "validation")]
    [InlineData("""{"inputs":[["a"],["too long"]],"truncate":false}""", 413, "validation")]
    [InlineData("""{"inputs":["too long","b"]}""", 413, "validation")]
    public async Task Post_BadBody_IsAnErrorOfTheProtocol(string body, int status, string type)
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await PostAsync(lab, body);
        await ReadErrorAsync(response, status, type);
    }

    [Fact]
    public async Task Post_ThirtyThreeInputsOrTwoMegabytesOrPlainText_AreErrorsOfTheProtocol()
    {
        await using var lab = await StartAsync(workers: 1);
        using var many = await PostAsync(lab, JsonSerializer.Serialize(new { inputs = Enumerable.Repeat<string[]>(["a"], 33) }));
        await ReadErrorAsync(many, 413, "validation");
        using var plain = await PostAsync(lab, "a", "text/plain");
        await ReadErrorAsync(plain, 415, "validation");
        using var get = await lab.Client.GetAsync("/predict", Cancellation);
        await ReadErrorAsync(get, 405, "validation");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/predict") { Content = new ByteArrayContent(new byte[2 * 1024 * 1024]) };
        request.Headers.ExpectContinue = true;
        using var large = await lab.Client.SendAsync(request, Cancellation);
        await ReadErrorAsync(large, 413, "validation");
    }

    [Fact]
    public async Task Post_NoWorker_IsUnhealthy()
    {
        await using var lab = await StartAsync(workers: 1);
        using var drain = await lab.Client.PostAsync("/workers/worker-1/drain", content: null, Cancellation);
        using var response = await PostAsync(lab, """{"inputs":"a"}""");
        await ReadErrorAsync(response, 503, "unhealthy");
    }

    [Fact]
    public async Task Post_DeadlineOrFailureOrRejection_HaveTheirTypes()
    {
        await using (var patient = await StartAsync(workers: 3))
        {
            foreach (var worker in patient.Workers) worker.Handle = (_, _) => Task.FromResult<IResult>(TypedResults.Problem("no words", statusCode: 422));
            using var rejected = await PostAsync(patient, """{"inputs":"a"}""");
            await ReadErrorAsync(rejected, 422, "tokenizer");
        }

        await using var lab = await StartAsync(workers: 1, "--Orchestrator:Deadline=00:00:00.3");
        lab.Workers[0].Handle = async (text, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return StubWorker.Answer(text);
        };
        using (var late = await PostAsync(lab, """{"inputs":"a"}""")) await ReadErrorAsync(late, 504, "backend");
    }

    [Fact]
    public async Task Post_FailsOnThree_IsBackend()
    {
        await using var lab = await StartAsync(workers: 3);
        foreach (var worker in lab.Workers) worker.Handle = (_, _) => Task.FromResult<IResult>(TypedResults.StatusCode(500));
        using var failed = await PostAsync(lab, """{"inputs":"a"}""");
        await ReadErrorAsync(failed, 502, "backend");
    }

    [Fact]
    public async Task Post_MoreThanTheQueueHolds_IsOverloadedAsAWhole()
    {
        await using var lab = await StartAsync(workers: 1, "--Orchestrator:QueueCapacity=2");
        using var response = await PostAsync(lab, """{"inputs":[["a"],["b"],["c"]]}""");
        await ReadErrorAsync(response, 429, "overloaded");
        Assert.InRange(int.Parse(response.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture), 1, 60);
        Assert.Empty(lab.Workers[0].Texts);
    }

    [Fact]
    public async Task Call_WithoutKeyOrTooOften_IsRefusedInEachProtocolsShape()
    {
        const string Key = "user-key-0123456789";
        await using var lab = await StartAsync(workers: 0, key: null,
            [$"--Access:Keys:alice={Key}", "--Access:RequestsPerSecond=1", "--Access:Burst=1"]);
        using (var predict = await PostAsync(lab, "{}")) await ReadErrorAsync(predict, 401, "validation");
        using (var infer = await lab.Client.GetAsync("/v2/models/stub", Cancellation))
        {
            Assert.NotEmpty(await Lab.Tests.Protocols.OpenInferenceClient.ReadErrorAsync(infer, 401));
            Assert.Equal("Bearer", infer.Headers.WwwAuthenticate.Single().Scheme);
        }

        using (var metrics = await lab.Client.GetAsync("/metrics", Cancellation)) await ReadProblemAsync(metrics, 401);
        lab.Client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        using (var predict = await RefusedAsync(() => PostAsync(lab, "{}"))) await ReadErrorAsync(predict, 429, "overloaded");
        using (var infer = await RefusedAsync(() => lab.Client.GetAsync("/v2/models/stub", Cancellation)))
            Assert.NotEmpty(await Lab.Tests.Protocols.OpenInferenceClient.ReadErrorAsync(infer, 429));

        // More at once than a slow machine's seconds give back.
        static async Task<HttpResponseMessage> RefusedAsync(Func<Task<HttpResponseMessage>> send) =>
            (await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => send()))).First(response => response.StatusCode is HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Info_IsTheWorkersModelWithTheOrchestratorsLimits()
    {
        await using var lab = await StartAsync(workers: 1, "--Orchestrator:QueueCapacity=123");
        using var info = JsonDocument.Parse(await lab.Client.GetStringAsync("/info", Cancellation));
        Assert.Equal("stub", info.RootElement.GetProperty("model_id").GetString());
        Assert.Equal(123, info.RootElement.GetProperty("max_concurrent_requests").GetInt32());
        Assert.Equal("POSITIVE", info.RootElement.GetProperty("model_type").GetProperty("classifier").GetProperty("id2label").GetProperty("1").GetString());
    }

    private static Task<HttpResponseMessage> PostAsync(RunningOrchestrator lab, string body, string contentType = "application/json") =>
        lab.Client.PostAsync("/predict", new StringContent(body, Encoding.UTF8, contentType), Cancellation);

    private static async Task ReadErrorAsync(HttpResponseMessage response, int status, string type)
    {
        Assert.Equal(status, (int)response.StatusCode);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(["error", "error_type"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal(type, json.RootElement.GetProperty("error_type").GetString());
    }
}

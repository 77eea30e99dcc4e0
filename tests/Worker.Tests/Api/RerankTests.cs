using System.Globalization;
using System.Text.Json.Nodes;
using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Inference;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.Tests.Api;

/// <summary><c>POST /rerank</c> and pairs on <c>POST /run_model</c>, against what <c>POST /predict</c> says of the same pairs.</summary>
public sealed class RerankTests
{
    private const double Tolerance = 1e-4;
    private const string Query = "what a film!";
    private static readonly string[] Texts = ["fine", "a dull mess", "word7 word8 word9", "fine", "z"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ProblemType.SingleLabel)]
    [InlineData(ProblemType.MultiLabel)]
    [InlineData(ProblemType.Regression)]
    public async Task Post_ModelWithOneLabel_PutsTextsInOrderOfTheirPairsLogits(ProblemType problem)
    {
        using var directory = TestModels.Write(TestModels.Small with { MaxPositions = 64, Problem = problem, Labels = ["LABEL_0"] }, seed: 3);
        await using var worker = await StartAsync(directory.Path);
        var pairs = new JsonArray([.. Texts.Select(text => new JsonArray(Query, text))]);
        var predicted = await PostAsync(worker, "/predict", new() { ["inputs"] = pairs, ["raw_scores"] = true });
        var logits = predicted.AsArray().Select(scores => (double)scores![0]!["score"]!).ToList();
        var expected = Enumerable.Range(0, Texts.Length).OrderByDescending(i => logits[i]).ToList();

        var body = new JsonObject { ["query"] = Query, ["texts"] = new JsonArray([.. Texts.Select(text => (JsonNode)text)]) };
        var ranks = (await PostAsync(worker, "/rerank", body)).AsArray();
        Assert.Equal(expected, ranks.Select(rank => (int)rank!["index"]!));
        Assert.All(ranks, rank => Assert.Equal(1 / (1 + Math.Exp(-logits[(int)rank!["index"]!])), (double)rank["score"]!, Tolerance));
        Assert.All(ranks, rank => Assert.Equal(["index", "score"], rank!.AsObject().Select(member => member.Key)));

        body["raw_scores"] = true;
        body["return_text"] = true;
        var raw = (await PostAsync(worker, "/rerank", body)).AsArray();
        Assert.Equal(expected, raw.Select(rank => (int)rank!["index"]!));
        Assert.All(raw, rank => Assert.Equal(logits[(int)rank!["index"]!], (double)rank["score"]!, Tolerance));
        Assert.All(raw, rank => Assert.Equal(Texts[(int)rank!["index"]!], (string?)rank["text"]));

        // The other way round it is another pair.
        var turned = await PostAsync(worker, "/predict", new() { ["inputs"] = new JsonArray(Texts[1], Query), ["raw_scores"] = true });
        Assert.NotEqual(logits[1], (double)turned[0]!["score"]!, Tolerance);
    }

    [Fact]
    public async Task Post_TooLongAText_IsRefusedUnlessItIsToBeCut()
    {
        using var directory = TestModels.Write(TestModels.Small with { Labels = ["LABEL_0"] });
        await using var worker = await StartAsync(directory.Path);
        var texts = $$"""{"query":"fine","texts":["short","{{string.Join(' ', Enumerable.Repeat("fine", 100))}}"]""";
        using (var refused = await worker.PostJsonAsync("/rerank", texts + "}", Cancellation))
        {
            Assert.Equal(413, (int)refused.StatusCode);
            Assert.Contains("Input 1 has more than 24 tokens", await refused.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        using var cut = await worker.PostJsonAsync("/rerank", texts + ",\"truncate\":true}", Cancellation);
        Assert.Equal(200, (int)cut.StatusCode);
        Assert.True(double.Parse(cut.Headers.GetValues("x-inference-time").Single(), CultureInfo.InvariantCulture) > 0);
    }

    [Fact]
    public async Task Post_BundledModel_IsRefusedByName()
    {
        await using var worker = await RunningWorker.StartAsync(model => model);
        using var response = await worker.PostJsonAsync("/rerank", """{"query":"a","texts":["b"]}""", Cancellation);
        Assert.Equal(424, (int)response.StatusCode);
        Assert.Equal(
            """{"error":"The model minilm-sst2 is not a re-ranker: it has 2 labels, and a re-ranker has one. Use /predict.","error_type":"backend"}""",
            await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task RunModel_Pair_IsReadAsAPair()
    {
        await using var worker = await RunningWorker.StartAsync(model => model);
        var predicted = await PostAsync(worker, "/predict", new() { ["inputs"] = new JsonArray("It is good.", "It is a dull mess.") });
        var pair = await PostAsync(worker, "/run_model", new() { ["text"] = "It is good.", ["text_pair"] = "It is a dull mess." });
        var alone = await PostAsync(worker, "/run_model", new() { ["text"] = "It is good." });
        Assert.Equal("It is good.", (string?)pair["input_text"]);
        Assert.Equal((string?)predicted[0]!["label"], (string?)pair["label"]);
        Assert.Equal((double)predicted[0]!["score"]!, pair["probabilities"]!.AsArray().Max(score => (double)score!), Tolerance);
        Assert.NotEqual((double)alone["probabilities"]![0]!, (double)pair["probabilities"]![0]!, Tolerance);
        using var half = await worker.PostJsonAsync("/run_model", """{"text_pair":"b"}""", Cancellation);
        Assert.Equal(400, (int)half.StatusCode);
    }

    private static Task<RunningWorker> StartAsync(string directory) => RunningWorker.StartAsync(telemetry => TextModel.Load(
        new WorkerOptions { ModelDirectory = directory, ModelName = "model", Precision = "fp32", CacheDirectory = "" }, telemetry, TimeProvider.System, NullLogger.Instance, Cancellation));

    private static async Task<JsonNode> PostAsync(RunningWorker worker, string path, JsonObject body)
    {
        using var response = await worker.PostJsonAsync(path, body.ToJsonString(), Cancellation);
        var answer = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, answer);
        return JsonNode.Parse(answer)!;
    }
}

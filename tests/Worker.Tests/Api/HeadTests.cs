using System.Text.Json.Nodes;
using Lab.ServiceDefaults.Contracts;
using Lab.Tests.Protocols;
using Lab.Worker.Checkpoints;
using Lab.Worker.Inference;
using Lab.Worker.Tests.Inference;
using Lab.Worker.Tokenization;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.Tests.Api;

/// <summary>Models of every kind from a directory to each protocol's answers, against scores that are computed apart.</summary>
public sealed class HeadTests
{
    private const double Tolerance = 1e-4;
    private static readonly string[] Texts = ["fine", "a dull mess", "word7 word8 word9", "what a film!", "z", "never again, not once"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("SingleLabel", 3)]
    [InlineData("SingleLabel", 1)]
    [InlineData("MultiLabel", 6)]
    [InlineData("MultiLabel", 1)]
    [InlineData("Regression", 1)]
    [InlineData("Regression", 2)]
    public async Task Post_ModelOfEachKind_AnswersAreTheScoresOfItsLogits(string kind, int count)
    {
        var config = TestModels.Small with { Problem = Enum.Parse<ProblemType>(kind), Labels = [.. Enumerable.Range(0, count).Select(id => $"LABEL_{id}")] };
        using var directory = TestModels.Write(config, seed: 3);
        await using var worker = await RunningWorker.StartAsync(telemetry => TextModel.Load(
            new WorkerOptions { ModelDirectory = directory.Path, ModelName = "model", Precision = "fp32", CacheDirectory = "" }, telemetry, TimeProvider.System, NullLogger.Instance, Cancellation));

        var batch = await PostAsync(worker, "/run_batch", new() { ["texts"] = new JsonArray([.. Texts.Select(text => (JsonNode)text)]) });
        var predicted = await PostAsync(worker, "/predict", new() { ["inputs"] = new JsonArray([.. Texts.Select(text => new JsonArray(text))]) });
        var raw = await PostAsync(worker, "/predict", new() { ["inputs"] = new JsonArray([.. Texts.Select(text => new JsonArray(text))]), ["raw_scores"] = true });
        var inferred = await PostAsync(worker, "/v2/models/model/infer", OpenInferenceClient.Request(Texts));
        var tensors = inferred["outputs"]!.AsArray();
        var outputs = Numbers(tensors[0]!["data"]!).Chunk(count).ToList();
        foreach (var (i, text) in Texts.Index())
        {
            var logits = LogitsOf(directory.Path, config, text);
            var scores = ScoresOf(logits, config.Problem);
            var best = config.Labels[Array.IndexOf(scores, scores.Max())];
            var labels = config.Problem is not ProblemType.MultiLabel ? null
                : scores.Zip(config.Labels).Where(pair => pair.First >= 0.5).OrderByDescending(pair => pair.First).Select(pair => pair.Second);
            foreach (var answer in (JsonNode[])[await PostAsync(worker, "/run_model", new() { ["text"] = text }), batch["results"]![i]!])
            {
                AssertClose(scores, Numbers(answer["probabilities"]!));
                Assert.Equal(best, (string?)answer["label"]);
                Assert.Equal(labels, answer["labels"]?.AsArray().Select(label => (string)label!));
            }

            AssertClose([.. scores.OrderDescending()], [.. predicted[i]!.AsArray().Select(score => (double)score!["score"]!)]);
            Assert.Equal(best, (string?)predicted[i]![0]!["label"]);
            AssertClose([.. logits.OrderDescending()], [.. raw[i]!.AsArray().Select(score => (double)score!["score"]!)]);
            AssertClose(scores, outputs[i]);
            Assert.Equal(best, (string?)tensors[1]!["data"]![i]);
        }
    }

    [Theory]
    [InlineData("MultiLabel", "multi_label_classification")]
    [InlineData("Regression", "regression")]
    [InlineData("SingleLabel", "single_label_classification")]
    public async Task Get_InfoOfOneLabelIn8Bits_TellsHowScoresAreMade(string kind, string word)
    {
        using var directory = TestModels.Write(TestModels.Small with { Problem = Enum.Parse<ProblemType>(kind), Labels = ["TOXIC"] });
        await using var worker = await RunningWorker.StartAsync(telemetry => TextModel.Load(
            new WorkerOptions { ModelDirectory = directory.Path, CacheDirectory = "" }, telemetry, TimeProvider.System, NullLogger.Instance, Cancellation));
        var info = JsonNode.Parse(await worker.Client.GetStringAsync("/info", Cancellation))!;
        Assert.Equal(word, (string?)info["problem_type"]);
        Assert.Equal("TOXIC", (string?)info["model_type"]!["classifier"]!["id2label"]!["0"]);
        Assert.Equal("TOXIC", (string?)(await PostAsync(worker, "/run_model", new() { ["text"] = "fine" }))["label"]);
    }

    private static double[] LogitsOf(string directory, EncoderConfig config, string text)
    {
        var tokenizer = new BertTokenizer(Vocabulary.Read(directory, config.VocabSize), TokenizerConfig.Read(directory), config.MaxPositions);
        return new ReferenceEncoder(directory, config).Logits(tokenizer.Encode(text).TokenIds);
    }

    private static double[] ScoresOf(double[] logits, ProblemType problem) => problem switch
    {
        ProblemType.Regression => logits,
        ProblemType.SingleLabel when logits.Length > 1 => [.. logits.Select(logit => 1 / logits.Sum(other => Math.Exp(other - logit)))],
        _ => [.. logits.Select(logit => (1 + Math.Tanh(logit / 2)) / 2)],
    };

    private static double[] Numbers(JsonNode list) => [.. list.AsArray().Select(number => (double)number!)];

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
    }

    private static async Task<JsonNode> PostAsync(RunningWorker worker, string path, JsonObject body)
    {
        using var response = await worker.PostJsonAsync(path, body.ToJsonString(), Cancellation);
        var answer = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, answer);
        return JsonNode.Parse(answer)!;
    }
}

using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Lab.Orchestrator.Tests.Jobs;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;
using Microsoft.AspNetCore.Http;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>Fleets whose models give several labels, one alone, or numbers: every way to an answer.</summary>
public sealed class HeadTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<ProblemType, string, float[], string, string, string> Kinds => new()
    {
        {
            ProblemType.MultiLabel, "toxic insult threat", [0.75f, 0.875f, 0.25f], "\"label\":\"insult\",\"probabilities\":[0.75,0.875,0.25],\"labels\":[\"insult\",\"toxic\"]}",
            """[{"score":0.875,"label":"insult"},{"score":0.75,"label":"toxic"},{"score":0.25,"label":"threat"}]""", "insult 87.5 %, toxic 75.0 %"
        },
        {
            ProblemType.MultiLabel, "toxic insult", [0.25f, 0.125f], "\"label\":\"toxic\",\"probabilities\":[0.25,0.125],\"labels\":[]}",
            """[{"score":0.25,"label":"toxic"},{"score":0.125,"label":"insult"}]""", "none above 0.5"
        },
        { ProblemType.Regression, "LABEL_0", [-3.25f], "\"label\":\"LABEL_0\",\"probabilities\":[-3.25]}", """[{"score":-3.25,"label":"LABEL_0"}]""", "-3.25" },
        { ProblemType.SingleLabel, "LABEL_0", [0.25f], "\"label\":\"LABEL_0\",\"probabilities\":[0.25]}", """[{"score":0.25,"label":"LABEL_0"}]""", "LABEL_0" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Post_ModelOfEachKind_EveryWayGivesItsAnswer(ProblemType problem, string names, float[] scores, string answer, string predicted, string row)
    {
        await using var worker = await StubWorker.StartAsync(problem, names.Split(' '), scores);
        await using var lab = await StartAsync(workers: 0, $"--Workers:worker-1={worker.Address}");
        await lab.UntilAsync(table => table["worker-1"].Status == "free");

        using var response = await lab.PostAsync("a text");
        Assert.EndsWith(answer, await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        using var batch = await lab.Client.PostAsJsonAsync("/predict", new { inputs = (string[][])[["a"], ["b"]] }, Cancellation);
        Assert.Equal($"[{predicted},{predicted}]", await batch.Content.ReadAsStringAsync(Cancellation));
        var info = JsonNode.Parse(await lab.Client.GetStringAsync("/info", Cancellation))!;
        Assert.Equal(problem, ProblemIn(info));
        using var inferred = await lab.Client.PostAsJsonAsync("/v2/models/stub/infer",
            new { inputs = new[] { new { name = "text", shape = (int[])[1], datatype = "BYTES", data = (string[])["a"] } } }, Cancellation);
        Assert.Equal(scores, JsonNode.Parse(await inferred.Content.ReadAsStringAsync(Cancellation))!["outputs"]![0]!["data"]!.AsArray().Select(score => (float)score!));

        var job = await lab.Client.AcceptedAsync("a job");
        await lab.Client.UntilAsync(job, "succeeded");
        Assert.Contains(answer, await lab.Client.GetStringAsync(job, Cancellation), StringComparison.Ordinal);
        var page = "";
        await Eventually.TrueAsync(
            async () => (page = await lab.Client.GetStringAsync("/", Cancellation)).Contains("a job</td>", StringComparison.Ordinal) && page.Contains(row, StringComparison.Ordinal),
            $"the page shows {row}", () => page);
    }

    [Fact]
    public async Task Post_OneWorkerTellsOtherLabelsThanFollow_TheOthersAnswer()
    {
        string[] labels = ["toxic", "insult"];
        float[] scores = [0.75f, 0.875f];
        await using var good = await StubWorker.StartAsync(ProblemType.MultiLabel, labels, scores);
        await using var bad = await StubWorker.StartAsync(ProblemType.MultiLabel, labels, scores);
        bad.Handle = (text, _) => Task.FromResult<IResult>(TypedResults.Json(
            new ModelAnswer(text, "insult", scores, 1, Truncated: false, ["toxic", "insult"]), WireJson.Relaxed.ModelAnswer));
        await using var lab = await StartAsync(workers: 0, $"--Workers:good={good.Address}", $"--Workers:bad={bad.Address}",
            "--Orchestrator:QuarantineMin=00:01:00", "--Orchestrator:QuarantineMax=00:01:00");
        await lab.UntilAsync(table => table.Values.All(worker => worker.Status == "free"));
        foreach (var response in await Task.WhenAll(Enumerable.Range(0, 4).Select(i => lab.PostAsync($"text {i}"))))
        {
            using (response) Assert.Equal(["insult", "toxic"], (await ReadAnswerAsync(response)).Labels!);
        }

        Assert.NotEmpty(bad.Texts);
        Assert.Equal("quarantined", (await lab.GetWorkersAsync())["bad"].Status);
    }

    private static ProblemType ProblemIn(JsonNode info) => (string?)info["problem_type"] switch
    {
        "multi_label_classification" => ProblemType.MultiLabel,
        "regression" => ProblemType.Regression,
        _ => ProblemType.SingleLabel,
    };
}

using System.Text.Json.Nodes;
using Lab.Tests.Protocols;
using Microsoft.AspNetCore.Http;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

public sealed class OpenInferenceTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_FleetReady_TellsWhatTheSpecificationAsksFor()
    {
        await using var lab = await StartAsync(workers: 1);
        var client = ClientOf(lab);
        Assert.Equal("lab-orchestrator", await client.ServerNameAsync());
        Assert.True(await client.IsLiveAsync());
        Assert.True(await client.IsReadyAsync());
        Assert.True(await client.IsModelReadyAsync("stub", "1"));
        Assert.Equal("onnx_onnxv1", (await client.ModelAsync("stub"))["platform"]!.GetValue<string>());
    }

    [Fact]
    public async Task Get_NoWorker_LiveButNotReadyAndNoModelKnown()
    {
        await using var lab = await StartAsync(workers: 0);
        var client = ClientOf(lab);
        Assert.True(await client.IsLiveAsync());
        Assert.False(await client.IsReadyAsync());
        using var ready = await lab.Client.GetAsync("/v2/health/ready", Cancellation);
        Assert.Equal(503, (int)ready.StatusCode);
        Assert.NotEmpty(await client.FailAsync("stub", "{}", 503));
        using var info = await lab.Client.GetAsync("/info", Cancellation);
        await ReadProblemAsync(info, 503);
    }

    [Fact]
    public async Task Infer_ThreeTexts_AnswersInOrderWithParameters()
    {
        await using var lab = await StartAsync(workers: 2);
        var request = OpenInferenceClient.Request("a", "b", "too long");
        request["id"] = "42";
        request["outputs"] = new JsonArray(new JsonObject { ["name"] = "label" }, new JsonObject { ["name"] = "probabilities" });
        var answer = await ClientOf(lab).InferAsync("stub", request);
        Assert.Equal(["label", "probabilities"], answer["outputs"]!.AsArray().Select(output => output!["name"]!.GetValue<string>()));
        Assert.Equal("[3,2]", answer["outputs"]![1]!["shape"]!.ToJsonString());
        Assert.Equal("[0.25,0.75,0.25,0.75,0.25,0.75]", answer["outputs"]![1]!["data"]!.ToJsonString());
        var parameters = answer["parameters"]!.AsObject();
        Assert.Equal(["attempts", "inference_ms", "queue_ms", "truncated", "worker"], parameters.Select(parameter => parameter.Key).Order());
        Assert.True(parameters["truncated"]!.GetValue<bool>());
        Assert.StartsWith("worker-", parameters["worker"]!.GetValue<string>(), StringComparison.Ordinal);
        // What is only a text needs no options on its way.
        Assert.All(lab.Workers.SelectMany(worker => worker.BatchRequests), batch => Assert.Null(batch.Options));
    }

    [Fact]
    public async Task Infer_ThirtyTwoTexts_AreAnswered()
    {
        await using var lab = await StartAsync(workers: 2);
        var answer = await ClientOf(lab).InferAsync("stub", OpenInferenceClient.Request([.. Enumerable.Range(0, 32).Select(i => $"text {i}")]));
        Assert.Equal(32, answer["outputs"]![1]!["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task Infer_EveryBadBody_IsAnErrorOfTheProtocolAndReachesNoWorker()
    {
        await using var lab = await StartAsync(workers: 1);
        foreach (var row in OpenInferenceBodies.Refused)
        {
            var (body, status) = row.Data;
            Assert.NotEmpty(await ClientOf(lab).FailAsync("stub", body, status));
        }

        Assert.Empty(lab.Workers[0].Texts);
        Assert.NotEmpty(await ClientOf(lab).FailAsync("other", "{}", 404));
        Assert.NotEmpty(await ClientOf(lab).FailAsync("stub", "{}", 404, version: "2"));
    }

    [Fact]
    public async Task Infer_MoreThanTheQueueHolds_NoneOfItIsComputed()
    {
        await using var lab = await StartAsync(workers: 1, "--Orchestrator:QueueCapacity=2");
        Assert.NotEmpty(await ClientOf(lab).FailAsync("stub", OpenInferenceClient.Request("a", "b", "c").ToJsonString(), 429));
        Assert.Empty(lab.Workers[0].Texts);
        await ClientOf(lab).InferAsync("stub", OpenInferenceClient.Request("a", "b"));
    }

    [Fact]
    public async Task Infer_SlashInTheModelsName_IsFound()
    {
        await using var worker = await StubWorker.StartAsync();
        worker.Model = StubWorker.ModelNamed("org/name");
        await using var lab = await StartAsync(workers: 0, $"--Workers:worker-1={worker.Address}");
        await lab.UntilAsync(table => table["worker-1"].Status == "free");
        Assert.True(await ClientOf(lab).IsModelReadyAsync("org/name"));
        await ClientOf(lab).InferAsync("org/name", OpenInferenceClient.Request("a"));
    }

    [Theory]
    [InlineData(500, 502)]
    [InlineData(422, 422)]
    public async Task Infer_WorkersFail_IsAnErrorOfTheProtocol(int worker, int status)
    {
        await using var lab = await StartAsync(workers: 3);
        foreach (var stub in lab.Workers) stub.Handle = (_, _) => Task.FromResult<IResult>(TypedResults.Problem("no", statusCode: worker));
        Assert.NotEmpty(await ClientOf(lab).FailAsync("stub", OpenInferenceClient.Request("a").ToJsonString(), status));
    }

    private static OpenInferenceClient ClientOf(RunningOrchestrator lab) => new(lab.Client, Cancellation);
}

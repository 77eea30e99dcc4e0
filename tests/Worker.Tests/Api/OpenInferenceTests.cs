using System.Text.Json.Nodes;
using Lab.Tests.Protocols;

namespace Lab.Worker.Tests.Api;

public sealed class OpenInferenceTests(RunningWorker worker) : IClassFixture<RunningWorker>
{
    private const string Model = "minilm-sst2";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private OpenInferenceClient Client => new(worker.Client, Cancellation);

    [Fact]
    public async Task Get_ReadyWorker_TellsWhatTheSpecificationAsksFor()
    {
        Assert.Equal("lab-worker", await Client.ServerNameAsync());
        Assert.True(await Client.IsLiveAsync());
        Assert.True(await Client.IsReadyAsync());
        Assert.True(await Client.IsModelReadyAsync(Model));
        Assert.True(await Client.IsModelReadyAsync(Model, "1"));
        Assert.Equal(["1"], (await Client.ModelAsync(Model))["versions"]!.AsArray().Select(version => version!.GetValue<string>()));
        Assert.Equal("[-1,2]", (await Client.ModelAsync(Model, "1"))["outputs"]![0]!["shape"]!.ToJsonString());
    }

    [Fact]
    public async Task Infer_TwoTexts_BothOutputs()
    {
        var request = OpenInferenceClient.Request("I loved every minute of it", "A dull, lifeless mess");
        request["id"] = "42";
        var answer = await Client.InferAsync(Model, request);
        var (probabilities, label) = (answer["outputs"]![0]!, answer["outputs"]![1]!);
        Assert.Equal(("probabilities", "FP32", "[2,2]"), (probabilities["name"]!.GetValue<string>(), probabilities["datatype"]!.GetValue<string>(), probabilities["shape"]!.ToJsonString()));
        Assert.Equal(("label", "BYTES", "[2]"), (label["name"]!.GetValue<string>(), label["datatype"]!.GetValue<string>(), label["shape"]!.ToJsonString()));
        Assert.Equal(["POSITIVE", "NEGATIVE"], label["data"]!.AsArray().Select(name => name!.GetValue<string>()));
        Assert.Equal(2, probabilities["data"]!.AsArray().Sum(value => value!.GetValue<double>()), 1e-5);
        Assert.True(answer["parameters"]!["inference_ms"]!.GetValue<double>() > 0);
    }

    [Theory]
    [InlineData("""[["fine"],["dull"]]""")]
    [InlineData("""["fine","dull"]""")]
    public async Task Infer_ColumnFlatOrByRows_IsTheSame(string data)
    {
        var request = OpenInferenceClient.Request("fine", "dull");
        request["inputs"]![0]!["shape"] = new JsonArray(2, 1);
        request["inputs"]![0]!["data"] = JsonNode.Parse(data);
        request["outputs"] = new JsonArray(new JsonObject { ["name"] = "label" });
        var answer = await Client.InferAsync(Model, request, "1");
        Assert.Equal(2, Assert.Single(answer["outputs"]!.AsArray())!["data"]!.AsArray().Count);
    }

    [Theory]
    [MemberData(nameof(OpenInferenceBodies.Refused), MemberType = typeof(OpenInferenceBodies))]
    public async Task Infer_BadBody_IsAnErrorOfTheProtocol(string body, int status) =>
        Assert.NotEmpty(await Client.FailAsync(Model, body, status));

    [Fact]
    public async Task Infer_UnknownModelOrVersion_IsAnErrorOfTheProtocol()
    {
        Assert.Contains(Model, await Client.FailAsync("other", "{}", 404), StringComparison.Ordinal);
        Assert.NotEmpty(await Client.FailAsync(Model, "{}", 404, "2"));
        Assert.NotEmpty(await OpenInferenceClient.ReadErrorAsync(await worker.Client.GetAsync("/v2/nothing", Cancellation), 404));
        Assert.NotEmpty(await OpenInferenceClient.ReadErrorAsync(await worker.Client.GetAsync($"/v2/models/{Model}/infer", Cancellation), 405));
    }
}

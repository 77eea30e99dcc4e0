using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json.Nodes;
using Lab.EndToEnd.Cluster;
using Lab.Testing;
using Lab.Worker.Tests.Inference;

namespace Lab.EndToEnd;

/// <summary>
/// Directories with the configuration of much-used classifiers of the hub, small and with random numbers, made and served
/// by the program, before an orchestrator.
/// </summary>
public sealed class HubModelTests
{
    private static readonly string[] Texts = ["a good film", "a bad one", "what was it?"];

    public static TheoryData<string> Names => [.. HubConfigs.Served.Keys];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Ask_ModelOfTheHub_TextsPairsJobsAndRanksAreAnsweredByIt(string name)
    {
        var directory = Directory.CreateTempSubdirectory("lab-test-");
        try
        {
            var labels = await MakeAsync(directory.FullName, JsonNode.Parse(HubConfigs.Served[name].Json)!.AsObject());
            using var probe = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
            var ports = FreePorts.Take(2);
            await using var worker = new LabService("Worker", ports[0], new Dictionary<string, string> { ["Worker__ModelDirectory"] = Path.Combine(directory.FullName, "model") });
            await worker.StartAsync(probe, Cancellation);
            await using var orchestrator = new LabService("Orchestrator", ports[1], new Dictionary<string, string>
            {
                ["Workers__worker-1"] = worker.Address.ToString(),
                ["XDG_STATE_HOME"] = directory.FullName,
            });
            await orchestrator.StartAsync(probe, Cancellation);
            using var client = new HttpClient { BaseAddress = orchestrator.Address, Timeout = TimeSpan.FromSeconds(60) };

            await CheckAsync(client, labels);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task CheckAsync(HttpClient client, string[] labels)
    {
        var alone = await OkAsync(client, "/new_request", new { text = Texts[0] });
        var pairs = new List<JsonNode>();
        foreach (var second in Texts) pairs.Add(await OkAsync(client, "/new_request", new { text = Texts[0], text_pair = second }));

        Assert.All((JsonNode[])[alone, .. pairs], answer => Assert.Contains(answer["label"]!.GetValue<string>(), labels));
        Assert.Equal(labels.Length, Numbers(alone).Length);
        // Each has an answer of its own: none was taken for another, or for one text alone.
        Assert.Equal(4, pairs.Append(alone).Select(answer => string.Join(' ', Numbers(answer))).Distinct().Count());
        Assert.NotEqual(Numbers(pairs[1]), Numbers(await OkAsync(client, "/new_request", new { text = Texts[1], text_pair = Texts[0] })));

        // Computed together with others, the same.
        var together = (await OkAsync(client, "/predict", new { inputs = (string[][])[[Texts[0]], .. Texts.Select(second => (string[])[Texts[0], second])] })).AsArray();
        Assert.Equal([Best(alone), .. pairs.Select(Best)], together.Select(answer => answer![0]!["score"]!.GetValue<float>()));

        Assert.Equal(Numbers(pairs[2]), Numbers(await JobAsync(client, new { text = Texts[0], text_pair = Texts[2] })));

        using var response = await client.PostAsJsonAsync("/rerank", new { query = Texts[0], texts = Texts }, Cancellation);
        var ranks = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
        Assert.Equal(labels.Length == 1 ? HttpStatusCode.OK : HttpStatusCode.FailedDependency, response.StatusCode);
        if (labels.Length > 1) return;
        Assert.Equal(
            pairs.Select((answer, i) => (Index: i, Score: Best(answer))).OrderByDescending(rank => rank.Score),
            ranks.AsArray().Select(rank => (rank!["index"]!.GetValue<int>(), rank["score"]!.GetValue<float>())));
    }

    private static async Task<JsonNode> JobAsync(HttpClient client, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request") { Content = JsonContent.Create(body), Headers = { { "Prefer", "respond-async" } } };
        using var response = await client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return await Eventually.GetAsync(async () => JsonNode.Parse(await client.GetStringAsync(response.Headers.Location, Cancellation))!["result"], "the job is done");
    }

    private static async Task<JsonNode> OkAsync(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync(path, body, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    private static float[] Numbers(JsonNode answer) => [.. answer["probabilities"]!.AsArray().Select(number => number!.GetValue<float>())];

    private static float Best(JsonNode answer) => Numbers(answer).Max();

    // Small, by the program; what its configuration does not say is the hub's, and so are its labels.
    private static async Task<string[]> MakeAsync(string directory, JsonObject hub)
    {
        var program = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Worker").Value!;
        var labels = hub["id2label"]!.AsObject();
        string[] shape = ["--layers", "2", "--dim", "48", "--heads", "12", "--hidden", "64", "--vocab", "600", "--labels", labels.Count.ToString(CultureInfo.InvariantCulture)];
        var model = Path.Combine(directory, "model");
        var made = await ChildProcess.RunAsync("dotnet", [program, "model", "make-random", model, "--architecture", hub["model_type"]!.GetValue<string>(), .. shape]);
        Assert.Equal((0, ""), (made.Code, made.Error));
        var path = Path.Combine(model, "config.json");
        var config = JsonNode.Parse(await File.ReadAllTextAsync(path, Cancellation))!.AsObject();
        config.Remove("id2label");
        foreach (var (member, value) in hub) config.TryAdd(member, value?.DeepClone());
        await File.WriteAllTextAsync(path, config.ToJsonString(), Cancellation);
        return [.. labels.Select(label => label.Value!.GetValue<string>())];
    }
}

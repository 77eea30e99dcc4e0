using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>What Hugging Face's clients send to an endpoint's address, and what they require of its answers.</summary>
public sealed class InferenceApiTests
{
    private const string Scores = """[{"label":"POSITIVE","score":0.75},{"label":"NEGATIVE","score":0.25}]""";
    private const string Best = """[{"label":"POSITIVE","score":0.75}]""";
    private const string Key = "user-key-0123456789";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    // What @huggingface/inference 4.13 and huggingface_hub send.
    [InlineData("""{"inputs":"What a wonderful film!"}""", $"[{Scores}]")]
    [InlineData("""{"inputs":"a","parameters":{"top_k":1}}""", $"[{Best}]")]
    [InlineData("""{"inputs":"a","top_k":1}""", $"[{Best}]")]
    [InlineData("""{"inputs":"a","parameters":{"function_to_apply":null,"top_k":null},"options":{"wait_for_model":true,"use_cache":false}}""", $"[{Scores}]")]
    [InlineData("""{"inputs":"a","model":"http://127.0.0.1:8080/"}""", $"[{Scores}]")]
    [InlineData("""{"inputs":["a"]}""", $"[{Scores}]")]
    // Two texts are no pair here.
    [InlineData("""{"inputs":["a","b"],"parameters":{}}""", $"[{Scores},{Scores}]")]
    [InlineData("""{"inputs":{"text":"a","text_pair":"b"}}""", $"[{Scores}]")]
    [InlineData("""{"inputs":["a",{"text":"b"},{"text":"c","text_pair":"d"}],"parameters":null}""", $"[{Scores},{Scores},{Scores}]")]
    [InlineData("""{"inputs":"a","parameters":{"top_k":99999999999}}""", $"[{Scores}]")]
    [InlineData("""{"inputs":"a","parameters":{"top_k":2.0}}""", $"[{Scores}]")]
    [InlineData("""{"inputs":"a","parameters":{"function_to_apply":"softmax"}}""", $"[{Scores}]")]
    [InlineData("""{"inputs":"a","parameters":{"function_to_apply":"none"}}""", """[[{"label":"POSITIVE","score":0.1},{"label":"NEGATIVE","score":-1}]]""")]
    [InlineData("""{"inputs":["a"],"parameters":{"function_to_apply":"SIGMOID","top_k":1}}""", """[[{"label":"POSITIVE","score":0.5249792}]]""")]
    [InlineData("""{"inputs":"too long","parameters":{"truncation":true}}""", $"[{Scores}]")]
    [InlineData("""{"inputs":"too long","truncate":true}""", $"[{Scores}]")]
    public async Task Post_EveryForm_GivesAListOfFallingScoresForEachText(string body, string expected)
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await PostAsync(lab, body);
        Assert.Equal((200, expected), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation)));
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("worker-1", response.Headers.GetValues("x-lab-worker").Single());
        Assert.NotEmpty(response.Headers.GetValues("x-queue-time"));
        Assert.NotEmpty(response.Headers.GetValues("x-inference-time"));
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("{\"inputs\":\"a\"", 400)]
    [InlineData("""{"inputs":"\ud800"}""", 400)]
    [InlineData("""{"inputs":""}""", 400)]
    [InlineData("""{"inputs":["a"," "]}""", 400)]
    [InlineData("""{"inputs":[]}""", 400)]
    [InlineData("""{"inputs":{"text":""}}""", 400)]
    [InlineData("null", 422)]
    [InlineData("[]", 422)]
    [InlineData("{}", 422)]
    [InlineData("""{"inputs":null}""", 422)]
    [InlineData("""{"inputs":7}""", 422)]
    [InlineData("""{"inputs":[["a"]]}""", 422)]
    [InlineData("""{"inputs":{"text_pair":"b"}}""", 422)]
    [InlineData("""{"inputs":{"text":"a","text_pair":7}}""", 422)]
    [InlineData("""{"inputs":"a","parameters":[]}""", 422)]
    [InlineData("""{"inputs":"a","parameters":{"top_k":0}}""", 422)]
    [InlineData("""{"inputs":"a","parameters":{"top_k":-1}}""", 422)]
    [InlineData("""{"inputs":"a","parameters":{"top_k":1.5}}""", 422)]
    [InlineData("""{"inputs":"a","parameters":{"top_k":"1"}}""", 422)]
    [InlineData("""{"inputs":"a","parameters":{"function_to_apply":"relu"}}""", 422)]
    [InlineData("""{"inputs":"a","parameters":{"function_to_apply":"1"}}""", 422)]
    [InlineData("""{"inputs":"a","parameters":{"function_to_apply":2}}""", 422)]
    [InlineData("""{"inputs":"a","parameters":{"truncation":"yes"}}""", 422)]
    [InlineData("""{"inputs":"too long"}""", 413)]
    public async Task Post_BadBody_IsAnErrorThatTheClientsShow(string body, int status)
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await PostAsync(lab, body);
        Assert.NotEmpty(await ReadErrorAsync(response, status));
    }

    [Fact]
    public async Task Post_MoreThanIsTaken_IsRefused()
    {
        await using var lab = await StartAsync(workers: 1);
        using (var all = await PostAsync(lab, Inputs(32))) Assert.Equal(200, (int)all.StatusCode);
        using (var many = await PostAsync(lab, Inputs(33))) Assert.Contains("32", await ReadErrorAsync(many, 413), StringComparison.Ordinal);
        using (var type = await PostAsync(lab, "a", "text/plain")) Assert.Contains("application/json", await ReadErrorAsync(type, 415), StringComparison.Ordinal);
        using (var form = await PostAsync(lab, "inputs=a", "application/x-www-form-urlencoded")) await ReadErrorAsync(form, 415);

        static string Inputs(int count) => JsonSerializer.Serialize(new { inputs = Enumerable.Repeat("a", count) });
    }

    [Fact]
    public async Task Post_WithoutWorkers_TellsToTryAgain()
    {
        await using var lab = await StartAsync(workers: 0);
        using var response = await PostAsync(lab, """{"inputs":"a"}""");
        Assert.NotEmpty(await ReadErrorAsync(response, 503));
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task Post_QueueFullOrFailedOrTooLate_IsTheStatusOfEveryOtherCall()
    {
        await using var lab = await StartAsync(workers: 1, "--Orchestrator:QueueCapacity=2", "--Orchestrator:MaxAttempts=1", "--Orchestrator:Deadline=00:00:00.5");
        using (var full = await PostAsync(lab, """{"inputs":["a","b","c"]}"""))
        {
            Assert.NotEmpty(await ReadErrorAsync(full, 429));
            Assert.NotNull(full.Headers.RetryAfter);
        }

        lab.Workers[0].Handle = async (_, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return TypedResults.Ok();
        };
        using (var late = await PostAsync(lab, """{"inputs":"a"}""")) await ReadErrorAsync(late, 504);
    }

    [Fact]
    public async Task Post_WithKeys_NeedsOneAndKeepsToItsRate()
    {
        await using var lab = await StartAsync(workers: 1, Key, [$"--Access:Keys:alice={Key}", "--Access:RequestsPerSecond=1", "--Access:Burst=100"]);
        using (var good = await PostAsync(lab, """{"inputs":"a"}""")) Assert.Equal(200, (int)good.StatusCode);
        lab.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "hf_nobody-0123456789");
        using (var refused = await PostAsync(lab, """{"inputs":"a"}""")) Assert.Contains("key", await ReadErrorAsync(refused, 401), StringComparison.Ordinal);
        lab.Client.DefaultRequestHeaders.Authorization = null;
        using (var without = await PostAsync(lab, """{"inputs":"a"}""")) Assert.Equal("Bearer", (await WithErrorAsync(without, 401)).Headers.WwwAuthenticate.Single().Scheme);
    }

    [Theory]
    [InlineData(ProblemType.MultiLabel, """[[{"label":"b","score":0.75},{"label":"a","score":0.5}]]""")]
    [InlineData(ProblemType.Regression, """[[{"label":"b","score":0.75},{"label":"a","score":0.5}]]""")]
    public async Task Post_ToAnotherKindOfModel_GivesItsOwnScores(ProblemType problem, string expected)
    {
        await using var worker = await StubWorker.StartAsync(problem, ["a", "b", "c"], [0.5f, 0.75f, 0.25f]);
        await using var lab = await StartAsync(workers: 0, $"--Workers:one={worker.Address}");
        await lab.UntilAsync(table => table["one"].Status == "free");
        using var response = await PostAsync(lab, """{"inputs":"x","parameters":{"top_k":2}}""");
        Assert.Equal(expected, await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Get_IsThePageAsBefore()
    {
        await using var lab = await StartAsync(workers: 0);
        using var page = await lab.Client.GetAsync("/", Cancellation);
        Assert.Equal((200, "text/html"), ((int)page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        using var put = await lab.Client.PutAsync("/", content: null, Cancellation);
        Assert.Equal(405, (int)put.StatusCode);
    }

    [Fact]
    public async Task Post_OfAnotherSitesPage_IsRefused()
    {
        await using var lab = await StartAsync(workers: 1);
        lab.Client.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        using var response = await PostAsync(lab, """{"inputs":"a"}""");
        await ReadErrorAsync(response, 403);
    }

    private static Task<HttpResponseMessage> PostAsync(RunningOrchestrator lab, string body, string contentType = "application/json") =>
        lab.Client.PostAsync("/", new StringContent(body, Encoding.UTF8, contentType), Cancellation);

    private static async Task<HttpResponseMessage> WithErrorAsync(HttpResponseMessage response, int status)
    {
        await ReadErrorAsync(response, status);
        return response;
    }

    // Both clients look for a string `error` in a body that says it is JSON.
    private static async Task<string> ReadErrorAsync(HttpResponseMessage response, int status)
    {
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(["error"], json.RootElement.EnumerateObject().Select(member => member.Name));
        return json.RootElement.GetProperty("error").GetString()!;
    }
}

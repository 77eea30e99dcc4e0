using System.Net;
using System.Text;
using System.Text.Json;

namespace Lab.Worker.Tests.Api;

public sealed class RunModelTests(RunningWorker worker) : IClassFixture<RunningWorker>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("I loved every minute of it", "POSITIVE")]
    [InlineData("What a waste of time and money.", "NEGATIVE")]
    public async Task Post_Text_IsClassified(string text, string label)
    {
        var answer = await AnswerAsync(await worker.PostJsonAsync("/run_model", JsonSerializer.Serialize(new { text }), Cancellation));

        Assert.Equal(["inference_ms", "input_text", "label", "probabilities", "truncated"], answer.EnumerateObject().Select(member => member.Name).Order());
        Assert.Equal(text, answer.GetProperty("input_text").GetString());
        Assert.Equal(label, answer.GetProperty("label").GetString());
        var probabilities = answer.GetProperty("probabilities").EnumerateArray().Select(value => value.GetDouble()).ToArray();
        Assert.Equal(1, probabilities.Sum(), 1e-6);
        Assert.Equal(label is "POSITIVE" ? 1 : 0, Array.IndexOf(probabilities, probabilities.Max()));
        Assert.False(answer.GetProperty("truncated").GetBoolean());
        Assert.True(answer.GetProperty("inference_ms").GetDouble() > 0);
    }

    [Fact]
    public async Task Post_PlainText_IsClassified()
    {
        var answer = await AnswerAsync(await worker.PostAsync("/run_model", Encoding.UTF8.GetBytes("Crème brûlée 😀"), "text/plain; charset=utf-8", Cancellation));

        Assert.Equal("Crème brûlée 😀", answer.GetProperty("input_text").GetString());
    }

    [Theory]
    [InlineData("/run_model", """{"text":"good"}""", "application/json")]
    [InlineData("/run_model", "good", "text/plain")]
    [InlineData("/run_batch", """{"texts":["good"]}""", "application/json")]
    [InlineData("/predict", """{"inputs":"good"}""", "application/json")]
    [InlineData("/v2/models/minilm-sst2/infer", """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["good"]}]}""", "application/json")]
    public async Task Post_ByteOrderMark_IsNoPartOfTheBody(string path, string body, string contentType)
    {
        var response = await worker.PostAsync(path, [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(body)], contentType, Cancellation);

        var answer = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, answer);
        Assert.DoesNotContain('\uFEFF', answer);
    }

    [Fact]
    public async Task Post_NoBody_FiftyRandomCharactersAreClassified()
    {
        var answer = await AnswerAsync(await worker.PostAsync("/run_model", [], null, Cancellation));

        Assert.Equal(50, answer.GetProperty("input_text").GetString()!.Length);
    }

    [Fact]
    public async Task Post_HundredThousandWords_AreTruncated()
    {
        var text = string.Join(' ', Enumerable.Repeat("word", 100_000));

        var answer = await AnswerAsync(await worker.PostAsync("/run_model", Encoding.UTF8.GetBytes(text), "text/plain", Cancellation));

        Assert.True(answer.GetProperty("truncated").GetBoolean());
        Assert.Equal(text, answer.GetProperty("input_text").GetString());
    }

    [Theory]
    [InlineData("""{"text":""}""", 400)]
    [InlineData("""{"text":" \t\n"}""", 400)]
    [InlineData("""{"text":null}""", 400)]
    [InlineData("""{"txt":"a"}""", 400)]
    [InlineData("null", 400)]
    [InlineData("{", 400)]
    [InlineData("""{"text":"a"}x""", 400)]
    [InlineData("""{"text":"\ud800"}""", 400)]
    [InlineData("""{"text":["a"]}""", 422)]
    [InlineData("""["a"]""", 422)]
    [InlineData("""{"text":7}""", 422)]
    public async Task Post_BadJson_IsAProblem(string json, int status) =>
        await AssertProblemAsync(await worker.PostJsonAsync("/run_model", json, Cancellation), status);

    [Fact]
    public async Task Post_InvalidUtf8_IsAProblem()
    {
        await AssertProblemAsync(await worker.PostAsync("/run_model", [0x61, 0xFF], "text/plain", Cancellation), 400);
        await AssertProblemAsync(await worker.PostAsync("/run_model", [.. "{\"text\":\""u8, 0xFF, .. "\"}"u8], "application/json", Cancellation), 400);
    }

    [Fact]
    public async Task Post_WrongContentType_IsAProblem() =>
        await AssertProblemAsync(await worker.PostAsync("/run_model", "text=a"u8.ToArray(), "application/x-www-form-urlencoded", Cancellation), 415);

    [Fact]
    public async Task Post_SeventeenMegabytes_IsAProblem() =>
        await AssertProblemAsync(await worker.PostAsync("/run_model", new byte[17_000_000], "text/plain", Cancellation), 413);

    [Fact]
    public async Task Get_RunModel_IsAProblem() => await AssertProblemAsync(await worker.Client.GetAsync("/run_model", Cancellation), 405);

    [Fact]
    public async Task Get_UnknownPath_IsAProblem() => await AssertProblemAsync(await worker.Client.GetAsync("/nothing", Cancellation), 404);

    [Fact]
    public async Task Get_Info_TellsTheModelAsTextEmbeddingsInferenceDoes()
    {
        using var response = await worker.Client.GetAsync("/info", Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        var info = json.RootElement;

        Assert.Equal("minilm-sst2", info.GetProperty("model_id").GetString());
        Assert.Equal(64, info.GetProperty("model_sha").GetString()!.Length);
        var classifier = info.GetProperty("model_type").GetProperty("classifier");
        Assert.Equal("POSITIVE", classifier.GetProperty("id2label").GetProperty("1").GetString());
        Assert.Equal(0, classifier.GetProperty("label2id").GetProperty("NEGATIVE").GetInt32());
        Assert.Equal(512, info.GetProperty("max_input_length").GetInt32());
        Assert.Equal(32, info.GetProperty("max_client_batch_size").GetInt32());
    }

    private static async Task<JsonElement> AnswerAsync(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
            return json.RootElement.Clone();
        }
    }

    private static async Task AssertProblemAsync(HttpResponseMessage response, int status)
    {
        using (response)
        {
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
            Assert.Equal(status, json.RootElement.GetProperty("status").GetInt32());
        }
    }
}

using System.Net;
using System.Text;
using System.Text.Json;

namespace Lab.Worker.Tests.Api;

public sealed class PredictTests(RunningWorker worker) : IClassFixture<RunningWorker>
{
    private const string LongText = "great great great great great great great great great great ";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("\"A dull, lifeless mess\"", "NEGATIVE")]
    [InlineData("[\"A dull, lifeless mess\"]", "NEGATIVE")]
    [InlineData("[\"Excellent product\", \"works as advertised\"]", "POSITIVE")]
    public async Task Post_OneInput_ScoresFallAndSumToOne(string inputs, string best)
    {
        var scores = Scores(await JsonAsync($$"""{"inputs":{{inputs}}}"""));

        Assert.Equal(best, scores[0].Label);
        Assert.Equal(2, scores.Length);
        Assert.True(scores[0].Score >= scores[1].Score);
        Assert.Equal(1, scores.Sum(score => score.Score), 1e-6);
    }

    [Fact]
    public async Task Post_Batch_OneListForEachInputInOrder()
    {
        var batch = await JsonAsync("""{"inputs":[["Best coffee in town!"],["What a waste of time"],["Excellent","product"]]}""");

        Assert.Equal(["POSITIVE", "NEGATIVE", "POSITIVE"], batch.EnumerateArray().Select(input => Scores(input)[0].Label));
        foreach (var (input, index) in ((string[])["\"Best coffee in town!\"", "\"What a waste of time\"", "[\"Excellent\",\"product\"]"]).Select((input, i) => (input, i)))
        {
            // 8-bit numbers in a batch share a scale.
            Assert.Equal(Scores(await JsonAsync($$"""{"inputs":{{input}}}"""))[0].Score, Scores(batch[index])[0].Score, 0.01);
        }
    }

    [Fact]
    public async Task Post_ThirtyTwoInputs_AreAnswered()
    {
        var inputs = string.Join(',', Enumerable.Range(0, 32).Select(i => $"[\"{LongText}{i}\"]"));

        Assert.Equal(32, (await JsonAsync($$"""{"inputs":[{{inputs}}]}""")).GetArrayLength());
    }

    [Fact]
    public async Task Post_RawScores_AreLogits()
    {
        var raw = Scores(await JsonAsync("""{"inputs":"I loved every minute of it","raw_scores":true}"""));

        Assert.Equal(1.757, raw.Single(score => score.Label == "POSITIVE").Score, 0.05);
        Assert.Equal(-1.3322, raw.Single(score => score.Label == "NEGATIVE").Score, 0.05);
    }

    [Fact]
    public async Task Post_TooLong_IsRefusedUnlessTruncatedAtTheSideAskedFor()
    {
        var text = $"terrible awful mess {string.Concat(Enumerable.Repeat(LongText, 100))} and";
        await AssertErrorAsync(await PostAsync(new { inputs = text }), 413, "validation");

        var right = Scores(await JsonAsync(JsonSerializer.Serialize(new { inputs = text, truncate = true, raw_scores = true })));
        var left = Scores(await JsonAsync(JsonSerializer.Serialize(new { inputs = text, truncate = true, raw_scores = true, truncation_direction = "left" })));
        Assert.NotEqual(right[0].Score, left[0].Score);
    }

    [Fact]
    public async Task Post_Answer_TellsItsTimeInAHeader()
    {
        using var response = await worker.PostJsonAsync("/predict", """{"inputs":"fine"}""", Cancellation);

        Assert.True(double.Parse(response.Headers.GetValues("x-inference-time").Single(), System.Globalization.CultureInfo.InvariantCulture) > 0);
    }

    [Theory]
    [InlineData("""{"inputs":[]}""", 400, "empty")]
    [InlineData("""{"inputs":[[]]}""", 400, "empty")]
    [InlineData("""{"inputs":""}""", 400, "validation")]
    [InlineData("""{"inputs":[["a"],[" "]]}""", 400, "validation")]
    [InlineData("""{"inputs":"a" """, 400, "validation")]
    [InlineData("", 400, "validation")]
    [InlineData("""{"inputs":"\udc00"}""", 400, "validation")]
    [InlineData("""{}""", 422, "validation")]
    [InlineData("[]", 422, "validation")]
    [InlineData("null", 422, "validation")]
    [InlineData("""{"inputs":null}""", 422, "validation")]
    [InlineData("""{"inputs":7}""", 422, "validation")]
    [InlineData("""{"inputs":["a","b","c"]}""", 422, "validation")]
    [InlineData("""{"inputs":[["a","b","c"]]}""", 422, "validation")]
    [InlineData("""{"inputs":[["a"],"b"]}""", 422, "validation")]
    [InlineData("""{"inputs":["a",["b"]]}""", 422, "validation")]
    [InlineData("""{"inputs":[["a"],[7]]}""", 422, "validation")]
    [InlineData("""{"inputs":[[["a"]]]}""", 422, "validation")]
    [InlineData("""{"inputs":"a","truncate":1}""", 422, "validation")]
    [InlineData("""{"inputs":"a","truncation_direction":"up"}""", 422, "validation")]
    [InlineData("""{"inputs":"a","raw_scores":"no"}""", 422, "validation")]
    public async Task Post_BadBody_IsAnErrorOfTheProtocol(string json, int status, string type) =>
        await AssertErrorAsync(await worker.PostJsonAsync("/predict", json, Cancellation), status, type);

    [Fact]
    public async Task Post_ThirtyThreeInputs_IsAnErrorOfTheProtocol() =>
        await AssertErrorAsync(await PostAsync(new { inputs = Enumerable.Repeat<string[]>(["a"], 33) }), 413, "validation");

    [Fact]
    public async Task Post_SeventeenMegabytes_IsAnErrorOfTheProtocol() =>
        await AssertErrorAsync(await worker.PostAsync("/predict", new byte[17_000_000], "application/json", Cancellation), 413, "validation");

    [Fact]
    public async Task Post_WrongContentType_IsAnErrorOfTheProtocol() =>
        await AssertErrorAsync(await worker.PostAsync("/predict", "a"u8.ToArray(), "text/plain", Cancellation), 415, "validation");

    [Fact]
    public async Task Post_InvalidUtf8_IsAnErrorOfTheProtocol() =>
        await AssertErrorAsync(await worker.PostAsync("/predict", [.. "{\"inputs\":\""u8, 0xFF, .. "\"}"u8], "application/json", Cancellation), 400, "validation");

    private static (string Label, double Score)[] Scores(JsonElement scores) =>
        [.. scores.EnumerateArray().Select(score => (score.GetProperty("label").GetString()!, score.GetProperty("score").GetDouble()))];

    private async Task<JsonElement> JsonAsync(string body)
    {
        using var response = await worker.PostJsonAsync("/predict", body, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        return json.RootElement.Clone();
    }

    private Task<HttpResponseMessage> PostAsync(object body) =>
        worker.PostAsync("/predict", Encoding.UTF8.GetBytes(JsonSerializer.Serialize(body)), "application/json", Cancellation);

    private static async Task AssertErrorAsync(HttpResponseMessage response, int status, string type)
    {
        using (response)
        {
            Assert.Equal(status, (int)response.StatusCode);
            using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
            Assert.Equal(["error", "error_type"], json.RootElement.EnumerateObject().Select(member => member.Name));
            Assert.Equal(type, json.RootElement.GetProperty("error_type").GetString());
        }
    }
}

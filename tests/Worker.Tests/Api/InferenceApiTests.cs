using System.Text.Json;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;

namespace Lab.Worker.Tests.Api;

/// <summary>Hugging Face's inference API before the bundled model.</summary>
public sealed class InferenceApiTests(RunningWorker worker) : IClassFixture<RunningWorker>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_Functions_MakeTheirScoresOfTheSameLogits()
    {
        var own = await ScoresAsync(Body());
        var logits = await ScoresAsync(Body("""{"function_to_apply":"none"}"""));
        Assert.Equal(["NEGATIVE", "POSITIVE"], own.Select(score => score.Label));
        Assert.Equal(own, await ScoresAsync(Body("""{"function_to_apply":"softmax"}""")));
        Assert.Equal(ScoreFunctions.Softmax([.. logits.Select(score => score.Score)]), own.Select(score => score.Score));
        Assert.Equal(
            logits.Select(score => ScoreFunctions.Logistic(score.Score)),
            (await ScoresAsync(Body("""{"function_to_apply":"sigmoid"}"""))).Select(score => score.Score));
        Assert.Equal(own[..1], await ScoresAsync(Body("""{"top_k":1}""")));
    }

    [Fact]
    public async Task Post_TooLong_IsRefusedUnlessItMayBeCut()
    {
        var text = string.Concat(Enumerable.Repeat("great ", 1000));
        using (var refused = await worker.PostJsonAsync("/", JsonSerializer.Serialize(new { inputs = text }), Cancellation))
        {
            Assert.Equal(413, (int)refused.StatusCode);
            Assert.StartsWith("""{"error":"Input 0 has more than""", await refused.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        Assert.Equal("POSITIVE", (await ScoresAsync(JsonSerializer.Serialize(new { inputs = text, parameters = new { truncation = true } })))[0].Label);
    }

    [Fact]
    public async Task HuggingFaceInference_ForTheWorkersAddress_ClassifiesAText() => Assert.Equal("POSITIVE", await NodeClients.EvaluateAsync($$"""
        import { textClassification } from '@huggingface/inference';
        const scores = await textClassification({ endpointUrl: '{{worker.Client.BaseAddress}}', inputs: 'I loved every minute of it' });
        console.log(scores[0].label);
        """));

    [Fact]
    public async Task Redocly_WithItsRecommendedRules_FindsNothingInTheDocument() =>
        Assert.Empty(await NodeClients.LintAsync(await worker.Client.GetStringAsync("/openapi/v1.json", Cancellation)));

    private static string Body(string parameters = "{}") => $$"""{"inputs":"A dull, lifeless mess","parameters":{{parameters}} }""";

    private async Task<(string Label, float Score)[]> ScoresAsync(string body)
    {
        using var response = await worker.PostJsonAsync("/", body, Cancellation);
        Assert.Equal(200, (int)response.StatusCode);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        return [.. Assert.Single(json.RootElement.EnumerateArray()).EnumerateArray().Select(score => (score.GetProperty("label").GetString()!, score.GetProperty("score").GetSingle()))];
    }
}

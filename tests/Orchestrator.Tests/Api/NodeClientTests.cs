using Lab.Testing;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>Programs of the npm registry on the API, as their users run them.</summary>
public sealed class NodeClientTests
{
    private const string Key = "user-key-0123456789";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HuggingFaceInference_ForTheEndpointsAddress_ClassifiesAText()
    {
        await using var lab = await StartAsync(workers: 1, Key, [$"--Access:Keys:alice={Key}"]);
        Assert.Equal("""[{"label":"POSITIVE","score":0.75},{"label":"NEGATIVE","score":0.25}]""", await ClassifyAsync(lab, $"accessToken: '{Key}', inputs: 'What a wonderful film!'"));
        Assert.Equal("""[{"label":"POSITIVE","score":0.75}]""", await ClassifyAsync(lab, $"accessToken: '{Key}', inputs: 'a', parameters: {{ top_k: 1 }}"));
        Assert.Equal(
            """[{"label":"POSITIVE","score":0.1},{"label":"NEGATIVE","score":-1}]""",
            await ClassifyAsync(lab, $"accessToken: '{Key}', inputs: 'a', parameters: {{ function_to_apply: 'none' }}"));
        Assert.Equal("Failed to perform inference: Send a valid key: Authorization: Bearer <key>.", await ClassifyAsync(lab, "inputs: 'a'"));
        Assert.Contains("top_k", await ClassifyAsync(lab, $"accessToken: '{Key}', inputs: 'a', parameters: {{ top_k: 0 }}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("--Access:Keys:alice=user-key-0123456789")]
    public async Task Redocly_WithItsRecommendedRules_FindsNothingInTheDocument(params string[] settings)
    {
        await using var lab = await StartAsync(workers: 0, Key, settings);
        Assert.Empty(await NodeClients.LintAsync(await lab.Client.GetStringAsync("/openapi/v1.json", Cancellation)));
    }

    [Fact]
    public async Task OpenApiTypescript_OfTheDocument_MakesTypes()
    {
        await using var lab = await StartAsync(workers: 0);
        var types = await NodeClients.TypesOfAsync(await lab.Client.GetStringAsync("/openapi/v1.json", Cancellation));
        Assert.Contains("queue_ms: number;", types, StringComparison.Ordinal);
        Assert.DoesNotContain("number | string", types, StringComparison.Ordinal);
    }

    private static Task<string> ClassifyAsync(RunningOrchestrator lab, string arguments) => NodeClients.EvaluateAsync($$"""
        import { textClassification } from '@huggingface/inference';
        try {
            console.log(JSON.stringify(await textClassification({ endpointUrl: '{{lab.Client.BaseAddress}}', {{arguments}} })));
        } catch (error) {
            console.log(error.message);
        }
        """);
}

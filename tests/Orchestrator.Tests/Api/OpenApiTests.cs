using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lab.Orchestrator.ClusterPage.Access;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

public sealed class OpenApiTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_IsValidAndHasEveryEndpoint()
    {
        await using var lab = await StartAsync(workers: 0);
        var read = OpenApiDocument.Parse(await lab.Client.GetStringAsync("/openapi/v1.json", Cancellation), "json");
        Assert.Empty(read.Diagnostic!.Errors);
        var document = read.Document!;
        var described = document.Paths.SelectMany(path => path.Value.Operations!.Keys.Select(method => $"{method} {path.Key}")).ToHashSet();

        var mapped = lab.Endpoints
            // What is for browsers is no part of the API.
            .Where(endpoint => endpoint.Metadata.GetMetadata<PageEndpoint>() is null)
            .Select(endpoint => (Path: $"/{endpoint.RoutePattern.RawText!.Trim('/')}", Methods: endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]))
            .Where(endpoint => !endpoint.Path.StartsWith("/openapi", StringComparison.Ordinal) && !endpoint.Path.StartsWith("/scalar", StringComparison.Ordinal))
            .SelectMany(endpoint => endpoint.Methods.Select(method => $"{method} {endpoint.Path}"));
        Assert.Empty(mapped.Except(described));
        Assert.Superset(
            new HashSet<string>
            {
                "POST /new_request", "POST /", "GET /workers", "POST /workers/{name}/drain", "POST /workers/{name}/resume", "POST /predict", "POST /rerank", "GET /info",
                "GET /v2", "GET /v2/health/live", "GET /v2/health/ready", "GET /v2/models/{model}", "GET /v2/models/{model}/versions/{version}/ready",
                "POST /v2/models/{model}/infer", "POST /v2/models/{model}/versions/{version}/infer", "GET /health", "GET /alive", "GET /metrics",
            },
            described);
        Assert.All(document.Paths.SelectMany(path => path.Value.Operations!), operation =>
        {
            Assert.NotEmpty(operation.Value.Summary!);
            Assert.NotEmpty(operation.Value.Tags!);
            Assert.Empty(((string[])["421", "500"]).Except(operation.Value.Responses!.Keys));
            Assert.Contains(operation.Value.Responses!.Keys, status => status.StartsWith('2'));
        });

        Assert.Distinct(document.Paths.SelectMany(path => path.Value.Operations!.Values).Select(operation => operation.OperationId));
        Assert.Equal("bearer", document.Components!.SecuritySchemes!["key"].Scheme);
        var predict = document.Paths["/predict"].Operations![HttpMethod.Post];
        Assert.Empty(((string[])["200", "400", "401", "413", "415", "422", "429", "502", "503", "504"]).Except(predict.Responses!.Keys));
        Assert.Contains("x-lab-worker", predict.Responses["200"].Headers!.Keys);
        Assert.Contains("Retry-After", predict.Responses["429"].Headers!.Keys);
        // Whoever may do without a key may bring one.
        Assert.Equal([1, 0], predict.Security!.Select(requirement => requirement.Count));
        Assert.Equal(
            ["model", "version"],
            document.Paths["/v2/models/{model}/versions/{version}/infer"].Operations![HttpMethod.Post].Parameters!.Select(parameter => parameter.Name));
        Assert.Contains("403", document.Paths["/workers/{name}/drain"].Operations![HttpMethod.Post].Responses!.Keys);
    }

    [Fact]
    public async Task Document_EveryExampleOfABody_IsAnsweredAsTheDocumentSays()
    {
        await using var lab = await StartAsync(workers: 1);
        // What only models with one label answer.
        await using var one = await StubWorker.StartAsync(ProblemType.SingleLabel, ["LABEL_0"], [0.5f]);
        await using var reranker = await StartAsync(workers: 0, $"--Workers:worker-1={one.Address}");
        await reranker.UntilAsync(table => table["worker-1"].Status == "free");
        var document = JsonNode.Parse(await lab.Client.GetStringAsync("/openapi/v1.json", Cancellation))!;
        var tried = 0;
        foreach (var (path, item) in document["paths"]!.AsObject())
        {
            if (item!["post"]?["requestBody"]?["content"] is not JsonObject bodies) continue;
            foreach (var (mediaType, body) in bodies)
            {
                var example = body!["example"]!;
                var text = mediaType == "application/json" ? example.ToJsonString() : example.GetValue<string>();
                using var content = new StringContent(text, new MediaTypeHeaderValue(mediaType));
                using var response = await (path == "/rerank" ? reranker : lab).Client.PostAsync(path.Replace("{model}", "stub", StringComparison.Ordinal).Replace("{version}", "1", StringComparison.Ordinal), content, Cancellation);
                Assert.Equal(200, (int)response.StatusCode);
                var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
                var promised = item["post"]!["responses"]!["200"]!["content"]!["application/json"]!["example"]!;
                Assert.Equal(promised.GetValueKind(), answer.GetValueKind());
                if (answer is JsonObject members) Assert.Equal(promised.AsObject().Select(member => member.Key), members.Select(member => member.Key));
                tried++;
            }
        }

        Assert.True(tried >= 5);
    }

    [Fact]
    public async Task Document_EveryNumber_IsANumber()
    {
        await using var lab = await StartAsync(workers: 0);
        var document = JsonNode.Parse(await lab.Client.GetStringAsync("/openapi/v1.json", Cancellation))!;
        var types = TypesIn(document).ToList();
        Assert.Contains("\"number\"", types);
        Assert.DoesNotContain(types, type => type.Contains("string", StringComparison.Ordinal) && (type.Contains("number", StringComparison.Ordinal) || type.Contains("integer", StringComparison.Ordinal)));

        static IEnumerable<string> TypesIn(JsonNode? node) => node switch
        {
            JsonObject members => members.SelectMany(member => member is { Key: "type", Value: JsonValue or JsonArray } ? [member.Value.ToJsonString()] : TypesIn(member.Value)),
            JsonArray items => items.SelectMany(TypesIn),
            _ => [],
        };
    }

    [Fact]
    public async Task Scalar_ComesWhollyFromTheServiceItself()
    {
        await using var lab = await StartAsync(workers: 0);
        using var page = await lab.Client.GetAsync("/scalar", Cancellation);
        Assert.Equal(200, (int)page.StatusCode);
        var html = await page.Content.ReadAsStringAsync(Cancellation);
        Assert.DoesNotContain("https://", html, StringComparison.Ordinal);
        var script = html.Split("src=\"").Skip(1).Select(rest => rest[..rest.IndexOf('"', StringComparison.Ordinal)]).First();
        using var response = await lab.Client.GetAsync(new Uri(page.RequestMessage!.RequestUri!, script), Cancellation);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Contains("javascript", response.Content.Headers.ContentType!.MediaType, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Document_WithKeys_NeedsOne()
    {
        await using var lab = await StartAsync(workers: 0, key: null, ["--Access:Keys:alice=user-key-0123456789"]);
        using (var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json") { Headers = { Authorization = new("Bearer", "user-key-0123456789") } })
        using (var response = await lab.Client.SendAsync(request, Cancellation))
        {
            var paths = OpenApiDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation), "json").Document!.Paths;
            Assert.Single(Assert.Single(paths["/workers"].Operations![HttpMethod.Get].Security!));
            Assert.Empty(paths["/health"].Operations![HttpMethod.Get].Security!);
        }

        foreach (var path in (string[])["/openapi/v1.json", "/scalar", "/scalar/scalar.js", "/metrics"])
        {
            using var response = await lab.Client.GetAsync(path, Cancellation);
            Assert.Equal(401, (int)response.StatusCode);
        }
    }
}

using System.Net;
using System.Net.Http.Headers;
using Lab.Orchestrator.Tests.Jobs;
using Microsoft.AspNetCore.Routing;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>HEAD is answered as GET, without the body.</summary>
public sealed class HeadRequestTests
{
    // What is of the moment, and what the server adds to a body.
    private static readonly string[] Passing = ["Date", "Transfer-Encoding", "Set-Cookie"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Head_OfEveryPathThatIsGot_HasItsStatusAndHeaders()
    {
        await using var lab = await StartAsync(workers: 1);
        var job = await lab.Client.AcceptedAsync("a text");
        await lab.Client.UntilAsync(job, "succeeded");
        var paths = lab.Endpoints
            .Where(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>() is not { } methods || methods.HttpMethods.Contains("GET"))
            .Select(endpoint => $"/{endpoint.RoutePattern.RawText!.Trim('/')}")
            .Where(path => !path.Contains("_framework", StringComparison.Ordinal) && !path.Contains("_content", StringComparison.Ordinal) && !path.Contains("_blazor", StringComparison.Ordinal))
            .Select(path => path.Replace("{model}", "stub", StringComparison.Ordinal).Replace("{version}", "1", StringComparison.Ordinal)
                .Replace("{id}", job.ToString().Split('/')[^1], StringComparison.Ordinal).Replace("{documentName}.json", "v1.json", StringComparison.Ordinal))
            .Where(path => !path.Contains('{', StringComparison.Ordinal))
            .Append("/nowhere").Append("/requests/none").Append("/new_request").Append("/scalar/").Append("/workers/").Append("/openapi/v1.json").Distinct().ToList();
        Assert.Empty(((string[])["/", "/workers", "/health", "/alive", "/metrics", "/openapi/v1.json", "/info", "/v2", "/v2/health/ready", "/v2/models/stub", "/requests/none", "/cluster-page.css"]).Except(paths));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = lab.Client.BaseAddress };
        foreach (var path in paths)
        {
            using var got = await SendAsync(client, HttpMethod.Get, path);
            using var head = await SendAsync(client, HttpMethod.Head, path);
            Assert.Equal((path, got.StatusCode), (path, head.StatusCode));
            Assert.Equal((path, Headers(got)), (path, Headers(head)));
            Assert.Equal((path, ""), (path, await head.Content.ReadAsStringAsync(Cancellation)));
        }
    }

    [Fact]
    public async Task Head_OfAStream_EndsAtOnceAndTakesNoPlace()
    {
        await using var lab = await StartAsync(workers: 0);
        for (var i = 0; i <= Lab.Orchestrator.Api.WorkersFeed.MaxStreams; i++)
        {
            using var head = await SendAsync(lab.Client, HttpMethod.Head, "/workers?stream");
            Assert.Equal(HttpStatusCode.OK, head.StatusCode);
            Assert.Equal("text/event-stream", head.Content.Headers.ContentType?.MediaType);
            Assert.Equal("", await head.Content.ReadAsStringAsync(Cancellation));
        }
    }

    [Fact]
    public async Task Post_WhereOnlyGetIs_NamesHeadToo()
    {
        await using var lab = await StartAsync(workers: 0);
        using var refused = await SendAsync(lab.Client, HttpMethod.Post, "/workers");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
        Assert.Superset(new HashSet<string>(["GET", "HEAD"]), refused.Content.Headers.Allow.ToHashSet());
    }

    private static string Headers(HttpResponseMessage response) => string.Join('\n', response.Headers.Concat(response.Content.Headers)
        .Where(header => !Passing.Contains(header.Key))
        // An answer to HEAD may leave its length out, and where GET's came in chunks it does.
        .Where(header => header.Key != "Content-Length" || !IsZero(response.Content.Headers))
        .OrderBy(header => header.Key, StringComparer.Ordinal).Select(header => $"{header.Key}: {string.Join(", ", header.Value)}"));

    private static bool IsZero(HttpContentHeaders headers) => headers.ContentLength is null or 0;

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path) =>
        client.SendAsync(new HttpRequestMessage(method, path), Cancellation);
}

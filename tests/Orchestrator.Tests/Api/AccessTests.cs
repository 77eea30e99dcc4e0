using System.Net;
using System.Security.Cryptography;
using System.Text;
using Lab.Testing;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

public sealed class AccessTests
{
    private const string UserKey = "user-key-0123456789";
    private const string AdminKey = "admin-key-0123456789";

    private static readonly string[] Keys =
    [
        $"--Access:Keys:alice=sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(UserKey)))}",
        $"--Access:AdminKeys:root={AdminKey}",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("POST", "/new_request", null, 401)]
    [InlineData("POST", "/new_request", "user-key-012345678", 401)]
    [InlineData("POST", "/new_request", UserKey, 200)]
    [InlineData("POST", "/new_request", AdminKey, 200)]
    [InlineData("GET", "/workers", null, 401)]
    [InlineData("GET", "/workers", UserKey, 200)]
    [InlineData("GET", "/nothing", null, 401)]
    [InlineData("GET", "/health", null, 200)]
    [InlineData("GET", "/alive", null, 200)]
    [InlineData("POST", "/workers/worker-1/drain", null, 401)]
    [InlineData("POST", "/workers/worker-1/drain", UserKey, 403)]
    [InlineData("POST", "/workers/worker-1/drain", AdminKey, 204)]
    [InlineData("POST", "/workers/worker-1/resume", AdminKey, 204)]
    [InlineData("POST", "/workers/worker-9/drain", AdminKey, 404)]
    public async Task Call_WithKey_IsAllowedByScope(string method, string path, string? key, int status)
    {
        await using var lab = await StartAsync(workers: 1, key: UserKey, Keys);
        using var response = await SendAsync(lab, method, path, key);
        Assert.Equal(status, (int)response.StatusCode);
        if (status is 401) Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        if (status >= 400) await ReadProblemAsync(response, status);
    }

    [Fact]
    public async Task Drain_WithoutKeysConfigured_WorksAndShows()
    {
        await using var lab = await StartAsync(workers: 1);
        using var drain = await SendAsync(lab, "POST", "/workers/worker-1/drain", key: null);
        Assert.Equal(HttpStatusCode.NoContent, drain.StatusCode);
        Assert.Equal("draining", (await lab.GetWorkersAsync())["worker-1"].Status);
        using var resume = await SendAsync(lab, "POST", "/workers/worker-1/resume", key: null);
        Assert.Equal("free", (await lab.GetWorkersAsync())["worker-1"].Status);
    }

    [Fact]
    public async Task SecretsDirectory_KeyReplaced_IsFollowedWithoutRestart()
    {
        var directory = Directory.CreateTempSubdirectory("lab-test-");
        var file = Path.Combine(directory.FullName, "Access__Keys__alice");
        await File.WriteAllTextAsync(file, UserKey + "\n", Cancellation);
        await using var lab = await StartAsync(workers: 1, key: UserKey, [$"--Access:SecretsDirectory={directory.FullName}"]);
        using var refused = await SendAsync(lab, "GET", "/workers", "another-key-0123456789");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        // On a connection that has shown the key before, too.
        for (var i = 0; i < 3; i++)
        {
            using var allowed = await SendAsync(lab, "POST", "/new_request", UserKey);
            Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        }

        await File.WriteAllTextAsync(file, "another-key-0123456789", Cancellation);
        await Eventually.TrueAsync(async () =>
        {
            using var response = await SendAsync(lab, "GET", "/workers", "another-key-0123456789");
            return response.StatusCode == HttpStatusCode.OK;
        }, "the new key is known");

        foreach (var (method, path) in new[] { ("GET", "/workers"), ("POST", "/new_request") })
        {
            using var old = await SendAsync(lab, method, path, UserKey);
            Assert.Equal(HttpStatusCode.Unauthorized, old.StatusCode);
        }

        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task RateLimit_OverBurst_Is429ForThatKeyAlone()
    {
        await using var lab = await StartAsync(workers: 0, key: null, [.. Keys, "--Access:RequestsPerSecond=1", "--Access:Burst=3"]);
        for (var i = 0; i < 3; i++)
        {
            using var allowed = await SendAsync(lab, "GET", "/workers", UserKey);
            Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        }

        // More at once than a slow machine's seconds give back.
        var more = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => SendAsync(lab, "GET", "/workers", UserKey)));
        var refused = more.First(response => response.StatusCode is HttpStatusCode.TooManyRequests);
        await ReadProblemAsync(refused, 429);
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
        foreach (var response in more) response.Dispose();
        using var other = await SendAsync(lab, "GET", "/workers", AdminKey);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Theory]
    [InlineData("--Access:Keys:alice=short")]
    [InlineData("--Access:Keys:alice=sha256:12")]
    [InlineData("--Access:RequestsPerSecond=-1")]
    public async Task Start_BadKey_IsRefusedWithoutShowingIt(string setting)
    {
        var refusal = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => StartAsync(workers: 0, setting));
        Assert.DoesNotContain("short", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> SendAsync(RunningOrchestrator lab, string method, string path, string? key)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (method == "POST" && path == "/new_request") request.Content = new StringContent("a");
        // A header of its own takes the place of the client's.
        request.Headers.Authorization = key is null ? new("None") : new("Bearer", key);
        return await lab.Client.SendAsync(request, Cancellation);
    }
}

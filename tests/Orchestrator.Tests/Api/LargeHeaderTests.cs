using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Lab.Testing;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>Headers as browsers and proxies send them are taken, and what the server rejects is told with a reason.</summary>
public sealed class LargeHeaderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(20)]
    [InlineData(60)]
    public async Task Get_CookiesOfOtherPrograms_AreNoObstacle(int kibibytes)
    {
        await using var lab = await StartAsync(workers: 0);
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(lab, $"GET /workers HTTP/1.1\r\nHost: localhost\r\nCookie: a={new string('x', kibibytes * 1024)}\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_ManyHeaders_AreNoObstacle()
    {
        await using var lab = await StartAsync(workers: 0);
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(lab, $"GET /workers HTTP/1.1\r\nHost: localhost\r\n{Lines(150)}\r\n"), StringComparison.Ordinal);
    }

    public static TheoryData<string, int, string> Rejected => new()
    {
        { $"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a={new string('x', 100 * 1024)}\r\n\r\n", 431, "Delete the site's cookies" },
        { $"GET / HTTP/1.1\r\nHost: localhost\r\n{Lines(300)}\r\n", 431, "200 lines" },
        { $"GET /?{new string('x', 9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "body of a POST" },
        { "GET / HTTP/1.1\r\n\r\n", 400, "Host" },
        { "nonsense\r\n\r\n", 400, "request line" },
    };

    [Theory]
    [MemberData(nameof(Rejected), DisableDiscoveryEnumeration = true)]
    public async Task Any_WhatTheServerRejects_IsToldWhy(string request, int status, string why)
    {
        await using var lab = await StartAsync(workers: 0);
        var answer = await AskAsync(lab, request);
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} "), answer, StringComparison.Ordinal);
        var head = answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        Assert.Contains("Connection: close", head, StringComparison.Ordinal);
        var length = int.Parse(head.Split("Content-Length: ")[1].Split('\r')[0], CultureInfo.InvariantCulture);
        var problem = JsonNode.Parse(answer.Substring(head.Length + 4, length))!;
        Assert.Equal(status, (int)problem["status"]!);
        Assert.Contains(why, (string?)problem["detail"], StringComparison.OrdinalIgnoreCase);
        using var after = await lab.Client.GetAsync("/workers", Cancellation);
        Assert.True(after.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("GET http://localhost:1234/workers HTTP/1.1\r\nHost: localhost\r\n\r\n", 200)]
    [InlineData("GET http://lab.example/workers HTTP/1.1\r\nHost: localhost\r\n\r\n", 421)]
    public async Task Get_WholeAddressAsAProxysClientSendsIt_ItsHostCounts(string request, int status)
    {
        await using var lab = await StartAsync(workers: 0);
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} "), await AskAsync(lab, request), StringComparison.Ordinal);
    }

    private static string Lines(int count) => string.Concat(Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"X-{i}: 1\r\n")));

    private static async Task<string> AskAsync(RunningOrchestrator lab, string request)
    {
        using var client = await lab.ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes(request), Cancellation);
        var buffer = new byte[16 * 1024];
        return Encoding.UTF8.GetString(buffer, 0, await Eventually.DoneAsync(client.ReceiveAsync(buffer, Cancellation).AsTask(), "an answer"));
    }
}

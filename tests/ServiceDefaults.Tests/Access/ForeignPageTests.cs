using static Lab.ServiceDefaults.Tests.SampleService;

namespace Lab.ServiceDefaults.Tests.Access;

/// <summary>Where no key is needed, it is the browser's word on the page that keeps other sites out.</summary>
public sealed class ForeignPageTests
{
    [Theory]
    [InlineData("POST", 204, null, null)]
    [InlineData("POST", 204, "Origin", "http://{host}")]
    [InlineData("POST", 204, "Origin", "http://{HOST}")]
    [InlineData("POST", 204, "Sec-Fetch-Site", "same-origin")]
    [InlineData("POST", 204, "Sec-Fetch-Site", "none")]
    [InlineData("POST", 403, "Origin", "http://evil.example")]
    [InlineData("POST", 403, "Origin", "http://localhost:1")]
    [InlineData("POST", 403, "Origin", "http://{host}.evil.example")]
    [InlineData("POST", 403, "Origin", "null")]
    [InlineData("POST", 403, "Sec-Fetch-Site", "cross-site")]
    [InlineData("POST", 403, "Sec-Fetch-Site", "same-site")]
    [InlineData("POST", 403, "Sec-Fetch-Site", "new-word")]
    [InlineData("DELETE", 403, "Sec-Fetch-Site", "cross-site")]
    [InlineData("PATCH", 403, "Origin", "http://evil.example")]
    [InlineData("GET", 405, "Sec-Fetch-Site", "cross-site")]
    public async Task Change_ByAPage_IsRefusedUnlessItIsItsOwn(string method, int status, string? header, string? value)
    {
        await using var service = await StartAsync();
        var host = service.Client.BaseAddress!.Authority;
        Assert.Equal(status, await SendAsync(service, method, "/admin", (header, value?.Replace("{host}", host, StringComparison.Ordinal).Replace("{HOST}", host.ToUpperInvariant(), StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Change_ByAPageBehindAProxy_IsKnownByTheNameTheProxyWasCalledBy()
    {
        await using var service = await StartAsync();
        Assert.Equal(204, await SendAsync(service, "POST", "/admin", ("Origin", "https://lab.example"), ("X-Forwarded-Host", "lab.example")));
        Assert.Equal(403, await SendAsync(service, "POST", "/admin", ("Origin", "https://evil.example"), ("X-Forwarded-Host", "lab.example")));
    }

    [Fact]
    public async Task Upgrade_ByAnotherSitesPage_IsRefused()
    {
        await using var service = await StartAsync();
        Assert.Equal(403, await SendAsync(service, "GET", "/slow", ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Origin", "http://evil.example")));
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("lab.localhost:80", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("[::1]:8080", 200)]
    [InlineData("evil.example", 421)]
    [InlineData("localhost.evil.example", 421)]
    [InlineData("127.0.0.1.evil.example", 421)]
    [InlineData("evil.", 421)]
    [InlineData("10.0.0.1", 200)]
    [InlineData("orchestrator", 200)]
    public async Task Call_OfALoopbackServer_ByANameThatMayBeAnyonesIsRefused(string host, int status)
    {
        await using var service = await StartAsync();
        Assert.Equal(status, await SendAsync(service, "GET", "/slow", ("Host", host)));
    }

    [Theory]
    [InlineData("--AllowedHosts=lab.example", "lab.example", 200)]
    [InlineData("--AllowedHosts=lab.example", "evil.example", 400)]
    [InlineData("--urls=http://0.0.0.0:0", "lab.example", 200)]
    public async Task Call_WhereOtherNamesAreRight_IsTaken(string setting, string host, int status)
    {
        await using var service = await StartAsync(setting);
        Assert.Equal(status, await SendAsync(service, "GET", "/slow", ("Host", host)));
    }

    private static async Task<int> SendAsync(SampleService service, string method, string path, params (string? Name, string? Value)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), path);
        foreach (var (name, value) in headers)
            if (name is not null) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        using var response = await service.Client.SendAsync(request, TestContext.Current.CancellationToken);
        if ((int)response.StatusCode is 403 or 421) Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return (int)response.StatusCode;
    }
}

using System.Net;
using static Lab.ServiceDefaults.Tests.SampleService;

namespace Lab.ServiceDefaults.Tests.Access;

public sealed class AccessTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/fast", null, 401)]
    [InlineData("GET", "/fast", "another-key-0123456789", 401)]
    [InlineData("GET", "/fast", UserKey, 200)]
    [InlineData("GET", "/slow", null, 401)]
    [InlineData("GET", "/slow", "another-key-0123456789", 401)]
    [InlineData("GET", "/slow", UserKey, 200)]
    [InlineData("POST", "/admin", UserKey, 403)]
    [InlineData("POST", "/admin", AdminKey, 204)]
    [InlineData("GET", "/metrics", null, 401)]
    [InlineData("GET", "/nothing", null, 401)]
    [InlineData("GET", "/health", null, 200)]
    [InlineData("GET", "/alive", null, 200)]
    public async Task Call_WhereKeysAreSet_NeedsOneOfItsScope(string method, string path, string? key, int status)
    {
        await using var service = await StartAsync(Keys);
        using var response = await service.SendAsync(method, path, key);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status is 401, response.Headers.WwwAuthenticate.Any(challenge => challenge.Scheme == "Bearer"));
    }

    [Theory]
    [InlineData("/fast")]
    [InlineData("/slow")]
    public async Task Call_ByEitherPath_KnowsTheHolder(string path)
    {
        await using var service = await StartAsync(Keys);
        for (var i = 0; i < 2; i++)
        {
            using var response = await service.SendAsync("GET", path, UserKey);
            Assert.Equal("alice", await response.Content.ReadAsStringAsync(Cancellation));
        }

        // Another key on the connection that has shown the first.
        using var admin = await service.SendAsync("GET", path, AdminKey);
        Assert.Equal("root", await admin.Content.ReadAsStringAsync(Cancellation));
    }

    [Theory]
    [InlineData("GET", "/fast", 200)]
    [InlineData("GET", "/slow", 200)]
    [InlineData("POST", "/admin", 204)]
    public async Task Call_NothingSet_IsEverybodys(string method, string path, int status)
    {
        await using var service = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            using var response = await service.SendAsync(method, path);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    [Fact]
    public async Task Call_OverItsLimit_IsRefusedByEitherPathUntilLater()
    {
        await using var service = await StartAsync([.. Keys, "--Access:RequestsPerSecond=1", "--Access:Burst=3"]);
        foreach (var path in (string[])["/fast", "/slow", "/fast"])
        {
            using var allowed = await service.SendAsync("GET", path, UserKey);
            Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        }

        // The bucket gets a token a second: of a dozen at once some come too early, on whatever machine.
        var refused = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => service.SendAsync("GET", i % 2 == 0 ? "/fast" : "/slow", UserKey)));
        var response = Assert.IsType<HttpResponseMessage>(refused.FirstOrDefault(answer => answer.StatusCode is HttpStatusCode.TooManyRequests));
        Assert.InRange(int.Parse(response.Headers.GetValues("Retry-After").Single(), provider: null), 1, 60);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var other = await service.SendAsync("GET", "/fast", AdminKey);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        foreach (var answer in refused) answer.Dispose();
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Packaging;

/// <summary>Registries as they are met: each says in its own way who may have an image.</summary>
public sealed class RegistryTests
{
    private const string Digest = "sha256:6f5c57e2a9b5b4b9f1d6c5f0b8f7fd3bd2f0f4c4c8a6f9f4a5b5e6d7c8b9a0f1";
    private const string Challenge = "Bearer realm=\"https://auth.example.org/token?account=all\",service=\"example.org\",scope=\"repository:dotnet/base:pull,push\"";
    private readonly List<HttpRequestMessage> _requests = [];

    [Theory]
    [InlineData("""{"token":"T"}""")]
    [InlineData("""{"access_token":"T"}""")]
    [InlineData("""{"token":"","access_token":"T","expires_in":300}""")]
    [InlineData("""{"access_token":"T","expires_in":60,"issued_at":"2026-11-24T10:00:00Z","refresh_token":"R"}""")]
    public async Task DigestAsync_TokenService_IsUnderstoodWhateverItCallsTheToken(string token)
    {
        var digest = await AskAsync(request => request.RequestUri!.Host == "auth.example.org" ? Json(token)
            : request.Headers.Authorization is { Scheme: "Bearer", Parameter: "T" } ? Found() : Unauthorized(Challenge));

        Assert.Equal(Digest, digest);
        Assert.Equal("?account=all&service=example.org&scope=repository%3Adotnet%2Fbase%3Apull%2Cpush",
            _requests.Single(request => request.RequestUri!.Host == "auth.example.org").RequestUri!.Query);
    }

    [Theory]
    [InlineData("Bearer realm=\"https://auth.example.org/token\"")]
    [InlineData("bearer Realm=https://auth.example.org/token, service=\"a \\\"b\\\"\"")]
    public async Task DigestAsync_ChallengeWithoutScope_AsksToPull(string challenge)
    {
        await AskAsync(request => request.RequestUri!.Host == "auth.example.org" ? Json("""{"token":"T"}""")
            : request.Headers.Authorization is not null ? Found() : Unauthorized(challenge));

        Assert.Contains("scope=repository%3Adotnet%2Fbase%3Apull", _requests[1].RequestUri!.Query, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Basic realm=\"Registry\"")]
    [InlineData("Bearer realm=\"http://auth.example.org/token\"")]
    [InlineData("")]
    public Task DigestAsync_RegistryWantsALogin_SaysSo(string challenge) => FailsAsync(_ => Unauthorized(challenge), "only to those who log in");

    [Theory]
    [InlineData("not json", "answers without a token")]
    [InlineData("{}", "answers without a token")]
    [InlineData("[1]", "answers without a token")]
    [InlineData("""{"token":5}""", "answers without a token")]
    public Task DigestAsync_TokenServiceIsBroken_IsNamed(string answer, string words) =>
        FailsAsync(request => request.RequestUri!.Host == "auth.example.org" ? Json(answer) : Unauthorized(Challenge), "token service auth.example.org", words);

    [Theory]
    [InlineData(HttpStatusCode.NotFound, "no image of that name and tag (404)")]
    [InlineData(HttpStatusCode.Forbidden, "does not let everybody have it (403)")]
    [InlineData(HttpStatusCode.BadGateway, "answers 502")]
    public Task DigestAsync_RegistryRefuses_SaysWhatItMeans(HttpStatusCode status, string words) => FailsAsync(_ => new(status), words);

    [Fact]
    public Task DigestAsync_TokenDoesNotHelp_SaysThatTheImageIsNotForEverybody() =>
        FailsAsync(request => request.RequestUri!.Host == "auth.example.org" ? Json("""{"token":"T"}""") : Unauthorized(Challenge), "does not let everybody have it (401)");

    [Fact]
    public async Task DigestAsync_TooManyRequestsForAMoment_AsksAgain()
    {
        Assert.Equal(Digest, await AskAsync(_ => _requests.Count == 1 ? TooMany(TimeSpan.Zero) : Found()));
        Assert.Equal(2, _requests.Count);
    }

    [Theory]
    [InlineData(3600, "takes the next in 3600 s")]
    [InlineData(null, "wait some minutes")]
    public async Task DigestAsync_TooManyRequestsForLong_SaysHowLong(int? seconds, string words)
    {
        await FailsAsync(_ => TooMany(seconds is { } some ? TimeSpan.FromSeconds(some) : null), "too many requests from here (429)", words);
        Assert.Single(_requests);
    }

    [Fact]
    public async Task DigestAsync_RegistryTellsNoDigest_HashesTheManifest()
    {
        var digest = await AskAsync(request => request.Method == HttpMethod.Get ? Json("{}") : new(HttpStatusCode.OK));

        Assert.Equal("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", digest);
    }

    private async Task FailsAsync(Func<HttpRequestMessage, HttpResponseMessage> answer, params string[] words)
    {
        var failure = await Assert.ThrowsAsync<DeploymentException>(() => AskAsync(answer));
        Assert.Equal(ExitCode.Failed, failure.Code);
        Assert.All([.. words, "example.org/dotnet/base:10.0", "--base-image"], word => Assert.Contains(word, failure.Message, StringComparison.Ordinal));
    }

    private async Task<string> AskAsync(Func<HttpRequestMessage, HttpResponseMessage> answer)
    {
        using var http = new HttpClient(new Answers(request =>
        {
            _requests.Add(request);
            return answer(request);
        }));
        return await BaseImage.Parse("example.org/dotnet/base:10.0").DigestAsync(http, TestContext.Current.CancellationToken);
    }

    private static HttpResponseMessage Found()
    {
        var found = new HttpResponseMessage(HttpStatusCode.OK);
        found.Headers.Add("Docker-Content-Digest", Digest);
        return found;
    }

    private static HttpResponseMessage Json(string text) => new(HttpStatusCode.OK) { Content = new StringContent(text, Encoding.UTF8, "application/json") };

    private static HttpResponseMessage Unauthorized(string challenge)
    {
        var refused = new HttpResponseMessage(HttpStatusCode.Unauthorized);
        if (challenge.Length > 0) refused.Headers.WwwAuthenticate.ParseAdd(challenge);
        return refused;
    }

    private static HttpResponseMessage TooMany(TimeSpan? wait)
    {
        var refused = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        if (wait is { } time) refused.Headers.RetryAfter = new RetryConditionHeaderValue(time);
        return refused;
    }

    private sealed class Answers(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }
}

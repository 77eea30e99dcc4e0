using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Lab.Testing;
using Microsoft.Extensions.Options;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>What a proxy says of a request is believed of those that are named, and of nobody else.</summary>
public sealed class BehindProxyTests
{
    private const string Key = "an-admin-key-0123456789";

    private static readonly (string, string)[] Forwarded =
    [
        ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "lab.example"), ("X-Forwarded-Prefix", "/lab"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.0.0.0/8, 127.0.0.0/8", true)]
    [InlineData("127.0.0.2 10.0.0.0/8 unix", false)]
    [InlineData("", false)]
    public async Task Page_ForwardedHeaders_CountIfTheirSenderIsNamed(string proxies, bool isNamed)
    {
        await using var lab = await StartAsync(workers: 0, $"--Proxies={proxies}", $"--Access:AdminKeys:root={Key}");
        // A name of somebody's own is only a proxy's to be called by, on a server that listens on loopback.
        using var named = await SendAsync(lab, "/", ("Host", "lab.example"));
        Assert.Equal(HttpStatusCode.MisdirectedRequest, named.StatusCode);

        using var page = await SendAsync(lab, "/", Forwarded);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains(isNamed ? "<base href=\"/lab/\"" : "<base href=\"/\"", await page.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        var cookie = Assert.Single(page.Headers.GetValues("Set-Cookie"));
        Assert.Equal(isNamed, cookie.Contains("; secure", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(isNamed ? "path=/lab" : "path=/;", cookie, StringComparison.Ordinal);

        using var refused = await SendAsync(lab, "/workers", Forwarded);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        await lab.UntilLoggedAsync(isNamed ? "A request from 203.0.113.7 with no key" : "A request from 127.0.0.1 with no key");
    }

    [Fact]
    public async Task Job_AcceptedUnderAPath_IsFoundThere()
    {
        await using var lab = await StartAsync(workers: 0, "--Proxies=127.0.0.1");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request") { Content = new StringContent("a text") };
        request.Headers.Add("Prefer", "respond-async");
        foreach (var (name, value) in Forwarded) request.Headers.Add(name, value);
        using var accepted = await lab.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        Assert.StartsWith("/lab/requests/", accepted.Headers.Location?.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/lab", "/lab")]
    [InlineData("", "/")]
    public async Task Description_ServedUnderAPath_NamesThatPath(string prefix, string server)
    {
        await using var lab = await StartAsync(workers: 0, "--Proxies=127.0.0.1");
        using var answer = await SendAsync(lab, "/openapi/v1.json", ("X-Forwarded-Prefix", prefix));
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(server, Assert.Single(document.RootElement.GetProperty("servers").EnumerateArray()).GetProperty("url").GetString());
    }

    [Theory]
    [InlineData("/lab/", "/lab/")]
    [InlineData("/a/b.c-d_e~f", "/a/b.c-d_e~f/")]
    [InlineData("//evil.example", "/")]
    [InlineData("/lab//evil", "/")]
    [InlineData("/..", "/")]
    [InlineData("/lab\"><script>", "/")]
    [InlineData("lab", "/")]
    [InlineData("/", "/")]
    public async Task Page_PrefixOfAnyForm_IsTakenIfItIsAPath(string prefix, string path)
    {
        await using var lab = await StartAsync(workers: 0, "--Proxies=127.0.0.1");
        using var page = await SendAsync(lab, "/", ("X-Forwarded-Prefix", prefix));
        Assert.Contains($"<base href=\"{path}\"", await page.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Theory]
    // What a client has written before its proxy did is only believed if the client is a proxy, too.
    [InlineData("6.6.6.6, 203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7, 10.1.2.3", "203.0.113.7")]
    [InlineData("6.6.6.6, 203.0.113.7, 10.1.2.3", "203.0.113.7")]
    [InlineData("2001:db8::7", "2001:db8::7")]
    [InlineData("203.0.113.7:4711", "203.0.113.7")]
    [InlineData("nonsense", "127.0.0.1")]
    public async Task Client_BehindSeveralProxies_IsTheLastThatIsNone(string chain, string client)
    {
        await using var lab = await StartAsync(workers: 0, "--Proxies:0=127.0.0.1", "--Proxies:1=10.0.0.0/8", $"--Access:AdminKeys:root={Key}");
        using var refused = await SendAsync(lab, "/workers", ("X-Forwarded-For", chain));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        await lab.UntilLoggedAsync($"A request from {client} with no key");
    }

    [Fact]
    public async Task PlainHttp_ThroughTheProxy_IsWhatItsClientUsed()
    {
        await using var lab = await StartAsync(workers: 0, "--Proxies=127.0.0.1", "--Https:PlainHttp=Redirected", $"--Access:AdminKeys:root={Key}");
        using var overTls = await SendAsync(lab, "/workers", [.. Forwarded, ("Authorization", $"Bearer {Key}")]);
        Assert.Equal(HttpStatusCode.OK, overTls.StatusCode);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = lab.Client.BaseAddress };
        using var request = Request("/workers?stream", ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "lab.example:80"), ("X-Forwarded-Prefix", "/lab"));
        using var inTheClear = await client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.PermanentRedirect, inTheClear.StatusCode);
        Assert.Equal("https://lab.example/lab/workers?stream", inTheClear.Headers.Location?.ToString());
    }

    [Fact]
    public async Task Host_NotAmongThoseAllowed_IsNotTakenFromTheProxy()
    {
        await using var lab = await StartAsync(workers: 0, "--Proxies=127.0.0.1", "--AllowedHosts=lab.example;127.0.0.1");
        using var own = await SendAsync(lab, "/workers", ("X-Forwarded-Host", "lab.example"), ("X-Forwarded-For", "203.0.113.7"));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        using var change = new HttpRequestMessage(HttpMethod.Post, "/workers/none/drain");
        foreach (var (name, value) in ((string, string)[])[("X-Forwarded-Host", "evil.example"), ("X-Forwarded-For", "203.0.113.7"), ("Origin", "https://lab.example")]) change.Headers.Add(name, value);
        using var refused = await lab.Client.SendAsync(change, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task UnixSocket_Named_IsBelieved()
    {
        foreach (var isNamed in (bool[])[true, false])
        {
            var directory = Directory.CreateTempSubdirectory("lab-test-");
            var path = Path.Combine(directory.FullName, "lab.sock");
            await using (await StartAsync(workers: 0, $"--urls=http://unix:{path}", $"--Proxies={(isNamed ? "unix" : "127.0.0.1")}"))
            {
                using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await client.ConnectAsync(new UnixDomainSocketEndPoint(path), Cancellation);
                await client.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Prefix: /lab\r\nConnection: close\r\n\r\n"u8.ToArray(), Cancellation);
                var page = new StreamReader(new NetworkStream(client), Encoding.UTF8);
                Assert.Equal(isNamed, (await page.ReadToEndAsync(Cancellation)).Contains("<base href=\"/lab/\"", StringComparison.Ordinal));
            }

            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("nginx", "'nginx' is neither an address nor a network")]
    [InlineData("127.0.0.1;10.0.0.1", "'127.0.0.1;10.0.0.1' is neither")]
    [InlineData("10.1", "'10.1' is neither")]
    [InlineData("10.0.0.0/", "'10.0.0.0/' is no network")]
    [InlineData("10.0.0.0/33", "'10.0.0.0/33' is no network")]
    public void Create_ProxiesThatAreNone_AreNamedInOneLine(string proxies, string fault)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => OrchestratorApp.Create($"--Proxies={proxies}"));
        Assert.StartsWith($"Proxies: {fault}", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task Stream_ThroughNginxThatPacksAnswers_ArrivesEventByEvent()
    {
        await using var lab = await StartAsync(workers: 1);
        await using var nginx = await ReverseProxy.StartNginxAsync(port => string.Create(CultureInfo.InvariantCulture, $$"""
            server {
              listen 127.0.0.1:{{port}};
              gzip on; gzip_types *; gzip_proxied any;
              location / { proxy_pass {{lab.Client.BaseAddress!.ToString().TrimEnd('/')}}; }
            }
            """));
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.GZip });
        using var response = await client.GetAsync(
            new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{nginx.Port}/workers?stream")), HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.True(response.Headers.CacheControl is { NoStore: true, NoTransform: true });
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        await UntilAsync("free");
        using var drain = await lab.Client.PostAsync("/workers/worker-1/drain", content: null, Cancellation);
        await UntilAsync("draining");
        using var resume = await lab.Client.PostAsync("/workers/worker-1/resume", content: null, Cancellation);
        await UntilAsync("free");

        Task UntilAsync(string status) => Eventually.DoneAsync(Task.Run(async () =>
        {
            while (await reader.ReadLineAsync(Cancellation) is { } line && !line.Contains($"\"status\":\"{status}\"", StringComparison.Ordinal)) ;
        }, Cancellation), $"the stream tells of {status}");
    }

    private static HttpRequestMessage Request(string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static async Task<HttpResponseMessage> SendAsync(RunningOrchestrator lab, string path, params (string Name, string Value)[] headers)
    {
        using var request = Request(path, headers);
        return await lab.Client.SendAsync(request, Cancellation);
    }
}

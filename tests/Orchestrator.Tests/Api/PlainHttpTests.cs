using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>What comes without TLS where there is TLS.</summary>
public sealed class PlainHttpTests : IDisposable
{
    private const string Key = "user-key-0123456789";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-test-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("POST", "/new_request")]
    [InlineData("GET", "/")]
    [InlineData("GET", "/requests/0?full=1")]
    [InlineData("GET", "/nothing")]
    public async Task Redirected_WithoutKey_IsSentOnToHttps(string method, string path)
    {
        await using var lab = await StartAsync("Redirected");

        using var response = await SendAsync(lab.Plain, method, path, key: null);

        Assert.Equal(HttpStatusCode.PermanentRedirect, response.StatusCode);
        Assert.Equal(new Uri(lab.Tls.BaseAddress!, path), response.Headers.Location);
    }

    [Theory]
    [InlineData("Redirected", "POST", "/new_request")]
    [InlineData("Redirected", "GET", "/workers")]
    [InlineData("WithoutKey", "POST", "/new_request")]
    [InlineData("WithoutKey", "POST", "/workers/worker-1/drain")]
    public async Task Restricted_WithKey_IsRefusedAndToldToReplaceIt(string rule, string method, string path)
    {
        await using var lab = await StartAsync(rule);

        using var response = await SendAsync(lab.Plain, method, path, Key);

        Assert.Contains("Have it replaced", await ReadProblemAsync(response, 403), StringComparison.Ordinal);
        Assert.Equal(0, lab.Answered);
        Assert.Contains(lab.Log, line => line.Contains("sent its key without TLS", StringComparison.Ordinal));
        Assert.DoesNotContain(lab.Log, line => line.Contains(Key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task WithoutKey_Text_IsAnsweredAndNothingElseIs()
    {
        await using var lab = await StartAsync("WithoutKey");

        using var answer = await SendAsync(lab.Plain, "POST", "/new_request", key: null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var page = await SendAsync(lab.Plain, "GET", "/", key: null);
        Assert.Equal(HttpStatusCode.PermanentRedirect, page.StatusCode);
        using var drain = await SendAsync(lab.Plain, "POST", "/workers/worker-1/drain", key: null);
        Assert.Equal(HttpStatusCode.PermanentRedirect, drain.StatusCode);
        // TLS takes nobody without a key, now as before.
        using var stranger = await SendAsync(lab.Tls, "POST", "/new_request", key: null);
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
    }

    [Fact]
    public async Task Redirected_OverTlsOrUnixSocket_IsServedWithKey()
    {
        await using var lab = await StartAsync("Redirected");

        using var tls = await SendAsync(lab.Tls, "POST", "/new_request", Key);
        using var local = await SendAsync(lab.Local, "POST", "/new_request", Key);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (tls.StatusCode, local.StatusCode));
    }

    private Task<Lab> StartAsync(string rule) => Lab.StartAsync(_directory.FullName, rule);

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string method, string path, string? key)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (method == "POST") request.Content = new StringContent("a delight");
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        return await client.SendAsync(request, Cancellation);
    }

    /// <summary>An orchestrator that listens with and without TLS and on a Unix socket, before one worker.</summary>
    private sealed class Lab : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly StubWorker _worker;
        private readonly RememberedLog _log;

        private Lab(WebApplication app, StubWorker worker, RememberedLog log, string socket)
        {
            (_app, _worker, _log) = (app, worker, log);
            Plain = Client(app.Urls.Single(url => url.StartsWith("http://127", StringComparison.Ordinal)));
            Tls = Client(app.Urls.Single(url => url.StartsWith("https:", StringComparison.Ordinal)));
            Local = Client("http://localhost", async (_, cancellation) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                return new NetworkStream(connection, ownsSocket: true);
            });
        }

        public HttpClient Plain { get; }

        public HttpClient Tls { get; }

        public HttpClient Local { get; }

        public int Answered => _worker.Texts.Count;

        public IReadOnlyCollection<string> Log => _log.Messages;

        public static async Task<Lab> StartAsync(string directory, string rule)
        {
            var (worker, log, socket) = (await StubWorker.StartAsync(), new RememberedLog(), Path.Combine(directory, "s.sock"));
            var app = OrchestratorApp.Create(services => services.AddSingleton<ILoggerProvider>(log), [
                $"--Jobs:Path={Path.Combine(directory, "jobs.db")}", $"--Access:SessionKeysDirectory={directory}", $"--Access:Keys:alice={Key}",
                $"--Https:SelfSignedDirectory={directory}", $"--Https:PlainHttp={rule}", $"--urls=http://unix:{socket};http://127.0.0.1:0;https://127.0.0.1:0",
                $"--Workers:worker-1={worker.Address}", "--Logging:Console:LogLevel:Default=None"]);
            await app.StartAsync(Cancellation);
            return new(app, worker, log, socket);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var client in (HttpClient[])[Plain, Tls, Local]) client.Dispose();
            await _app.DisposeAsync();
            await _worker.DisposeAsync();
        }

        private static HttpClient Client(string address, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect = null) => new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectCallback = connect,
            // Which certificate it is is no matter here.
            SslOptions = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        })
        { BaseAddress = new(address) };
    }
}

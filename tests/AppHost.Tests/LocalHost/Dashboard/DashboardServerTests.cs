using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Lab.AppHost.LocalHost;
using Lab.AppHost.LocalHost.Dashboard;
using Microsoft.Extensions.Configuration;

namespace Lab.AppHost.Tests.LocalHost.Dashboard;

/// <summary>The real server on its two ports, as a browser, a service and a stranger call it.</summary>
public sealed class DashboardServerTests : IAsyncLifetime
{
    private static readonly HttpClient Client = new();

    private readonly StringWriter _output = new();
    private DashboardAddress _address = null!;
    private DashboardServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _address = Settings("http://localhost:0").Choose([], Output());
        _server = (await DashboardServer.StartAsync(_address, [], Output(), TimeProvider.System))!;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("/")]
    [InlineData("/logs")]
    [InlineData("/traces")]
    [InlineData("/metrics")]
    [InlineData("/dashboard.css")]
    [InlineData("/_framework/blazor.web.js")]
    [InlineData("/_content/Microsoft.FluentUI.AspNetCore.Components/Microsoft.FluentUI.AspNetCore.Components.bundle.scp.css")]
    public async Task Get_PagesAndWhatTheyNeed_AreServedAndFramedByNobody(string path)
    {
        using var answer = await Client.GetAsync(new Uri(_server.Url + path), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Contains("frame-ancestors 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/", "Host", "evil.example", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/", "Origin", "http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/_blazor", "Origin", "http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("POST", "/_blazor/negotiate", "Origin", "null", HttpStatusCode.Forbidden)]
    [InlineData("POST", "/v1/traces", "X-Any", "1", HttpStatusCode.NotFound)]
    public async Task Send_FromElsewhere_IsRefused(string method, string path, string header, string value, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(new(method), _server.Url + path);
        request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData("/v1/traces", true, "application/x-protobuf", null, HttpStatusCode.OK)]
    [InlineData("/v1/logs", true, "application/x-protobuf", null, HttpStatusCode.OK)]
    [InlineData("/v1/metrics", true, "application/x-protobuf", null, HttpStatusCode.OK)]
    [InlineData("/v1/traces", false, "application/x-protobuf", null, HttpStatusCode.Unauthorized)]
    [InlineData("/v1/traces", true, "application/json", null, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("/v1/traces", true, "application/x-protobuf", "not protobuf", HttpStatusCode.BadRequest)]
    [InlineData("/", true, "application/x-protobuf", null, HttpStatusCode.NotFound)]
    public async Task Post_Telemetry_IsTakenWithTheKeyOnly(string path, bool withKey, string type, string? text, HttpStatusCode expected)
    {
        using var answer = await PostAsync(path, withKey ? _address.Key : "guess", type, System.Text.Encoding.UTF8.GetBytes(text ?? ""));

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task Post_BodyBeyondTheLimit_IsRefused()
    {
        using var answer = await PostAsync("/v1/traces", _address.Key, "application/x-protobuf", new byte[(16 * 1024 * 1024) + 1]);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task Listen_OtherAddressesOfTheMachine_NobodyAnswers()
    {
        var own = Dns.GetHostAddresses(Dns.GetHostName(), AddressFamily.InterNetwork).FirstOrDefault(address => !IPAddress.IsLoopback(address));
        Assert.SkipWhen(own is null, "this machine has no address but the loopback's");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        var refusal = await Assert.ThrowsAsync<SocketException>(async () => await socket.ConnectAsync(own, _address.Port, TestContext.Current.CancellationToken));
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
    }

    [Fact]
    public void Choose_PortTaken_TakesAnotherAndSaysSo()
    {
        var next = Settings($"http://localhost:{_address.Port}").Choose([], Output());

        Assert.NotEqual(_address.Port, next.Port);
        Assert.Contains($"The dashboard's port {_address.Port} is taken by another program: it is at http://localhost:{next.Port} this time.", _output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:18888")]
    [InlineData("http://*:18888")]
    [InlineData("https://localhost:18888")]
    [InlineData("18888")]
    public void Trouble_AddressForOthers_IsToldInFull(string address)
        => Assert.StartsWith($"The dashboard cannot be at {address}: it starts and stops processes", Settings(address).Trouble, StringComparison.Ordinal);

    [Fact]
    public void From_NothingSet_IsAspiresAddress()
    {
        var settings = DashboardSettings.From(new ConfigurationBuilder().Build());

        Assert.Equal(("http://localhost:18888", "http://localhost:18889", null, null), (settings.Page, settings.Otlp, settings.Elsewhere, settings.Trouble));
    }

    [Fact]
    public void Telemetry_ReceiverNamedByTheUser_IsLeftAlone()
    {
        Assert.Empty((Settings("http://localhost:0") with { Elsewhere = "http://localhost:4318" }).Choose([], Output()).Telemetry);
        Assert.Equal($"x-otlp-api-key={_address.Key}", _address.Telemetry["OTEL_EXPORTER_OTLP_HEADERS"]);
        Assert.Equal($"http://localhost:{_address.OtlpPort}", _address.Telemetry["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    }

    private static DashboardSettings Settings(string page) => new(page, "http://localhost:0", Elsewhere: null);

    private Output Output() => new(_output, colour: false, []);

    private async Task<HttpResponseMessage> PostAsync(string path, string key, string type, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://localhost:{_address.OtlpPort}{path}") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        request.Headers.Add(DashboardAddress.KeyHeader, key);
        // A refusal comes before the body is sent, not in the middle of it.
        request.Headers.ExpectContinue = true;
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}

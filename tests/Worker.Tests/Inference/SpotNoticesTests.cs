using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Lab.Testing;
using Lab.Worker.Inference;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Worker.Tests.Inference;

public sealed class SpotNoticesTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ask_NoNotice_IsNullAndOneTokenDoes()
    {
        await using var server = await MetadataServer.StartAsync();
        using var http = SpotNotices.Client();
        var notices = new SpotNotices(http, server.Address, TimeProvider.System);

        Assert.Null(await notices.AskAsync(Cancellation));
        Assert.Null(await notices.AskAsync(Cancellation));

        Assert.Equal(["PUT 21600", "GET 404", "GET 404"], server.Requests);
    }

    [Theory]
    [InlineData("""{"action":"terminate","time":"2026-09-18T08:22:00Z"}""")]
    [InlineData("""{"action": "stop", "time": "2026-09-18T08:22:00Z"}""")]
    [InlineData("""{"time":"2026-09-18T08:22:00Z","action":"hibernate","more":1}""")]
    public async Task Ask_Notice_IsItsTime(string notice)
    {
        await using var server = await MetadataServer.StartAsync();
        server.Notice = notice;
        using var http = SpotNotices.Client();

        var at = await new SpotNotices(http, server.Address, TimeProvider.System).AskAsync(Cancellation);

        Assert.Equal(DateTimeOffset.Parse("2026-09-18T08:22:00Z", CultureInfo.InvariantCulture), at);
    }

    [Fact]
    public async Task Ask_TokenNoLongerValid_TakesAnother()
    {
        await using var server = await MetadataServer.StartAsync();
        using var http = SpotNotices.Client();
        var notices = new SpotNotices(http, server.Address, TimeProvider.System);
        await notices.AskAsync(Cancellation);
        server.Token = "another";

        Assert.Null(await notices.AskAsync(Cancellation));

        Assert.Equal(["PUT 21600", "GET 404", "GET 401", "PUT 21600", "GET 404"], server.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("terminate")]
    [InlineData("[]")]
    [InlineData("""{"action":"terminate"}""")]
    [InlineData("""{"action":"noop","time":"2026-09-18T08:22:00Z"}""")]
    [InlineData("""{"action":["terminate"],"time":"2026-09-18T08:22:00Z"}""")]
    [InlineData("""{"action":"terminate","time":"soon"}""")]
    [InlineData("""{"action":"\ud800","time":"2026-09-18T08:22:00Z"}""")]
    [InlineData("""{"action":"terminate","time":"2026-09-18T08:22:00Z"}{}""")]
    public async Task Ask_NoticeThatIsNone_IsAnError(string notice)
    {
        await using var server = await MetadataServer.StartAsync();
        server.Notice = notice;
        using var http = SpotNotices.Client();

        var error = await Assert.ThrowsAsync<SpotNoticeException>(() => new SpotNotices(http, server.Address, TimeProvider.System).AskAsync(Cancellation));

        Assert.Equal("its notice cannot be read", error.Message);
    }

    [Fact]
    public async Task Ask_NoticeThatIsTooLong_IsNotReadToItsEnd()
    {
        await using var server = await MetadataServer.StartAsync();
        server.Notice = $$"""{"action":"terminate","time":"2026-09-18T08:22:00Z","more":"{{new string('x', SpotNotices.MaxAnswerBytes)}}"}""";
        using var http = SpotNotices.Client();

        await Assert.ThrowsAsync<SpotNoticeException>(() => new SpotNotices(http, server.Address, TimeProvider.System).AskAsync(Cancellation));
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "it answers 500")]
    // Whoever sends elsewhere is not believed.
    [InlineData(HttpStatusCode.Redirect, "it answers 302")]
    public async Task Ask_OtherStatus_IsAnErrorAndAnotherTokenIsTakenNextTime(HttpStatusCode status, string message)
    {
        await using var server = await MetadataServer.StartAsync();
        server.Status = status;
        using var http = SpotNotices.Client();
        var notices = new SpotNotices(http, server.Address, TimeProvider.System);

        Assert.Equal(message, (await Assert.ThrowsAsync<SpotNoticeException>(() => notices.AskAsync(Cancellation))).Message);
        server.Status = null;

        Assert.Null(await notices.AskAsync(Cancellation));
        Assert.Equal(["PUT 21600", $"GET {(int)status}", "PUT 21600", "GET 404"], server.Requests);
    }

    [Theory]
    [InlineData(null, "it gives no token and answers 403")]
    [InlineData("a\r\nX-Other: b", "its token is none")]
    [InlineData("", "its token is none")]
    public async Task Ask_NoToken_IsAnErrorAndNothingElseIsAsked(string? token, string message)
    {
        await using var server = await MetadataServer.StartAsync();
        server.Token = token;
        using var http = SpotNotices.Client();

        var error = await Assert.ThrowsAsync<SpotNoticeException>(() => new SpotNotices(http, server.Address, TimeProvider.System).AskAsync(Cancellation));

        Assert.Equal(message, error.Message);
        Assert.Equal(["PUT 21600"], server.Requests);
    }

    [Fact]
    public async Task Ask_Silence_EndsAfterTwoSeconds()
    {
        await using var server = await MetadataServer.StartAsync();
        server.IsSilent = true;
        using var http = SpotNotices.Client();
        var time = new FakeTimeProvider();
        var asking = new SpotNotices(http, server.Address, time).AskAsync(Cancellation);
        await Eventually.DoneAsync(server.Asked, "the notice is asked for");

        time.Advance(SpotNotices.Timeout - TimeSpan.FromMilliseconds(1));
        Assert.False(asking.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal("it does not answer within 2 s", (await Assert.ThrowsAsync<SpotNoticeException>(() => asking)).Message);
    }

    [Fact]
    public async Task Ask_NobodyThere_IsAnErrorOfOneLine()
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        using var http = SpotNotices.Client();

        var error = await Assert.ThrowsAsync<SpotNoticeException>(() => new SpotNotices(http, new Uri($"http://127.0.0.1:{port}"), TimeProvider.System).AskAsync(Cancellation));

        Assert.Equal("Connection refused", error.Message);
    }
}

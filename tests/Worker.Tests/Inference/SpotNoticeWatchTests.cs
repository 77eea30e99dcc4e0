using System.Collections.Concurrent;
using System.Net;
using Lab.Testing;
using Lab.Worker.Inference;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Worker.Tests.Inference;

public sealed class SpotNoticeWatchTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly Departure _departure = new();
    private readonly RememberedLog _log = new();
    private MetadataServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await MetadataServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Watch_Notice_IsAnnouncedAtTheNextLookAndAskedForNoMore()
    {
        using var watch = await StartAsync(_server.Address.AbsoluteUri);
        await LookedAsync(watch, 1);
        Assert.Null(_departure.Notice);
        _server.Notice = """{"action":"terminate","time":"2026-09-18T08:22:00Z"}""";

        _time.Advance(SpotNoticeWatch.Interval);

        await Eventually.DoneAsync(watch.ExecuteTask!, "the notice is found");
        Assert.Equal(new DepartureNotice("spot interruption", new DateTimeOffset(2026, 9, 18, 8, 22, 0, TimeSpan.Zero)), _departure.Notice);
        Assert.Equal("EC2 takes this spot instance back at 2026-09-18 08:22:00Z: the worker finishes what it computes and takes no more work", Assert.Single(_log.Lines));
    }

    [Fact]
    public async Task Watch_TheSameErrorAgain_IsToldOnceUntilThereIsAnother()
    {
        _server.Status = HttpStatusCode.InternalServerError;
        using var watch = await StartAsync(_server.Address.AbsoluteUri);
        for (var look = 1; look <= 3; look++)
        {
            await LookedAsync(watch, look);
            _time.Advance(SpotNoticeWatch.Interval);
        }

        await LookedAsync(watch, 4);
        Assert.Contains("it answers 500", Assert.Single(_log.Lines), StringComparison.Ordinal);
        _server.Status = HttpStatusCode.BadGateway;
        _time.Advance(SpotNoticeWatch.Interval);
        await Eventually.TrueAsync(() => _log.Lines.Count == 2, "the other error is told");
        Assert.Contains("it answers 502", _log.Lines.Last(), StringComparison.Ordinal);
        await watch.StopAsync(Cancellation);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Watch_NoService_AsksNobody(string? service)
    {
        using var watch = await StartAsync(service);

        await Eventually.DoneAsync(watch.ExecuteTask!, "there is nothing to watch");

        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task Announce_Twice_TheFirstCounts()
    {
        _departure.Announce("spot interruption", DateTimeOffset.UnixEpoch);
        await Task.Run(() => _departure.Announce("another", DateTimeOffset.MaxValue), Cancellation);

        Assert.Equal(new DepartureNotice("spot interruption", DateTimeOffset.UnixEpoch), _departure.Notice);
    }

    private async Task<SpotNoticeWatch> StartAsync(string? service)
    {
        var watch = new SpotNoticeWatch(Options.Create(new WorkerOptions { SpotNotices = service }), _departure, _time, _log);
        await watch.StartAsync(Cancellation);
        return watch;
    }

    // Before the answer is read, time that passes would end the wait for it.
    private static Task LookedAsync(SpotNoticeWatch watch, int times) => Eventually.TrueAsync(() => watch.Looks == times, $"there have been {times} looks");

    private sealed class RememberedLog : ILogger<SpotNoticeWatch>
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}

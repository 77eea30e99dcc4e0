using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Api;

/// <summary>
/// The worker table as server-sent events (<c>GET /workers?stream</c>): one snapshot of the table every tenth of a second
/// for all streams together, and none while there are no streams.
/// </summary>
internal sealed class WorkersFeed(Dispatcher dispatcher, IHostApplicationLifetime lifetime, TimeProvider time) : BackgroundService
{
    /// <summary>How many streams there may be at once.</summary>
    public const int MaxStreams = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _time = time;

    // The server stops before the services behind it, and waits for its last request: streams must end first.
    private readonly CancellationToken _stopping = lifetime.ApplicationStopping;
    private volatile Table _latest = new([]);
    private int _streams;

    /// <summary>After so long without news a stream says that there are none, which keeps proxies from closing it.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A stream, or a refusal if there are too many.</summary>
    public IResult TryOpen()
    {
        if (Interlocked.Increment(ref _streams) <= MaxStreams) return new Stream(this);
        Interlocked.Decrement(ref _streams);
        return new Refusal(StatusCodes.Status429TooManyRequests, "Too many streams",
            $"There are {MaxStreams} streams already; try again later, or ask without ?stream.", RetryAfter: 10).ToResult();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (Volatile.Read(ref _streams) == 0) continue;
            var table = await dispatcher.GetWorkersAsync(stoppingToken);
            var json = JsonSerializer.SerializeToUtf8Bytes(table, WireJson.Relaxed.DictionaryStringWorkerStatus);
            var before = _latest;
            // Told each time, also if it is what it was: a stream that has just begun has seen nothing yet.
            _latest = json.AsSpan().SequenceEqual(before.Json) ? new(before.Json) : new(json);
            before.Next.SetResult();
        }
    }

    private sealed class Table(byte[] json)
    {
        public byte[] Json { get; } = json;

        public TaskCompletionSource Next { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Stream(WorkersFeed feed) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            // A server that stops does not wait for those who would listen for ever.
            using var end = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, feed._stopping);
            try
            {
                httpContext.Response.ContentType = "text/event-stream";
                httpContext.Response.Headers.CacheControl = "no-store";
                await WriteAsync(httpContext.Response, end.Token);
            }
            catch (OperationCanceledException)
            {
                // The client has gone, or the server goes: that is how streams end.
            }
            finally
            {
                Interlocked.Decrement(ref feed._streams);
            }
        }

        private async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
        {
            byte[]? sent = null;
            var sentAt = 0L;
            while (true)
            {
                await feed._latest.Next.Task.WaitAsync(cancellationToken);
                var json = feed._latest.Json;
                if (json != sent)
                {
                    await response.Body.WriteAsync((byte[])[.. "data: "u8, .. json, .. "\n\n"u8], cancellationToken);
                    sent = json;
                }
                else if (feed._time.GetElapsedTime(sentAt) < feed.Heartbeat) continue;
                else await response.Body.WriteAsync(": nothing new\n\n"u8.ToArray(), cancellationToken);

                await response.Body.FlushAsync(cancellationToken);
                sentAt = feed._time.GetTimestamp();
            }
        }
    }
}

using System.Text.Json;
using Lab.Orchestrator.Api.HalfClosed;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Requests;

namespace Lab.Orchestrator.Api;

/// <summary>
/// The worker table as server-sent events (<c>GET /workers?stream</c>): one snapshot of the table every tenth of a second
/// for all streams together, and none while there are no streams.
/// </summary>
internal sealed class WorkersFeed(Dispatcher dispatcher, IHostApplicationLifetime lifetime, TimeProvider time) : BackgroundService
{
    /// <summary>How many streams there may be at once.</summary>
    public const int MaxStreams = 100;

    /// <summary>How many of them one key may have.</summary>
    public const int MaxStreamsPerKey = 25;

    // Whoever reads nothing for so long is put out.
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _time = time;

    // The server stops before the services behind it, and waits for its last request: streams must end first.
    private readonly CancellationToken _stopping = lifetime.ApplicationStopping;
    private volatile Table _latest = new([]);
    private readonly Dictionary<string, int> _streamsByKey = new(StringComparer.Ordinal);
    private volatile int _streams;

    /// <summary>After so long without news a stream says that there are none, which keeps proxies from closing it.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A stream, or a refusal if there are too many.</summary>
    /// <param name="key">Whose it is; empty where no key is needed.</param>
    public IResult TryOpen(string key)
    {
        lock (_streamsByKey)
        {
            var own = _streamsByKey.GetValueOrDefault(key);
            if (_streams < MaxStreams && (key.Length == 0 || own < MaxStreamsPerKey))
            {
                _streams++;
                _streamsByKey[key] = own + 1;
                return new Stream(this, key);
            }
        }

        return new Refusal(StatusCodes.Status429TooManyRequests, "Too many streams",
            $"There are {MaxStreams} streams already, or {MaxStreamsPerKey} of this key; try again later, or ask without ?stream.", RetryAfter: 10).ToResult();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (_streams == 0) continue;
            var table = await dispatcher.GetWorkersAsync(stoppingToken);
            var json = JsonSerializer.SerializeToUtf8Bytes(table, WireJson.Relaxed.DictionaryStringWorkerStatus);
            var before = _latest;
            // Told each time, also if it is what it was: a stream that has just begun has seen nothing yet.
            _latest = json.AsSpan().SequenceEqual(before.Json) ? new(before.Json) : new(json);
            before.Next.SetResult();
        }
    }

    private void Close(string key)
    {
        lock (_streamsByKey)
        {
            _streams--;
            if (--_streamsByKey[key] == 0) _streamsByKey.Remove(key);
        }
    }

    private sealed class Table(byte[] json)
    {
        public byte[] Json { get; } = json;

        public TaskCompletionSource Next { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Stream(WorkersFeed feed, string key) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            // A server that stops does not wait for those who would listen for ever.
            using var end = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, feed._stopping);
            try
            {
                httpContext.HasNoEnd();
                httpContext.Response.ContentType = "text/event-stream";
                // Nor may a proxy on the way collect events or pack them: nginx (X-Accel-Buffering), others (RFC 9111, 5.2.2.6).
                httpContext.Response.Headers.CacheControl = "no-store, no-transform";
                httpContext.Response.Headers["X-Accel-Buffering"] = "no";
                if (httpContext.IsHeadersOnly()) return;
                await WriteAsync(httpContext.Response, end.Token);
            }
            catch (TimeoutException)
            {
                // Nothing that was sent is read: the connection ends, or its buffers would be kept for as long as it likes.
                httpContext.Abort();
            }
            catch (OperationCanceledException)
            {
                // The client has gone, or the server goes: that is how streams end.
            }
            finally
            {
                feed.Close(key);
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
                    await response.Body.WriteAsync((byte[])[.. "data: "u8, .. json, .. "\n\n"u8], cancellationToken).AsTask().WaitAsync(WriteTimeout, feed._time, cancellationToken);
                    sent = json;
                }
                else if (feed._time.GetElapsedTime(sentAt) < feed.Heartbeat) continue;
                else await response.Body.WriteAsync(": nothing new\n\n"u8.ToArray(), cancellationToken).AsTask().WaitAsync(WriteTimeout, feed._time, cancellationToken);

                await response.Body.FlushAsync(cancellationToken).WaitAsync(WriteTimeout, feed._time, cancellationToken);
                sentAt = feed._time.GetTimestamp();
            }
        }
    }
}

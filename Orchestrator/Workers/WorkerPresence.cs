using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Workers;

/// <summary>Shows this orchestrator to workers, and asks them which others they know and how they are.</summary>
/// <param name="time">The clock.</param>
internal sealed class WorkerPresence(TimeProvider time) : IDisposable
{
    // As many names as it may give, each as long as it may be, and a reason of any sensible length.
    private const int MaxAnswerBytes = 16 * 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
    })
    {
        MaxResponseContentBufferSize = MaxAnswerBytes,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Asks once. It never throws: whatever goes wrong is no answer, and whether a worker is well others find out.</summary>
    public async Task<PresenceReport?> AskAsync(Uri address, string id, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Limit, time);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        // It belongs to no request.
        Activity.Current = null;
        try
        {
            using var response = await _client.GetAsync(new Uri(address, $"{Presence.Path}?{Presence.Parameter}={id}"), timeout.Token);
            // A worker of an earlier version, or somebody else's.
            if (response.StatusCode is HttpStatusCode.NotFound) return PresenceReport.Alone;
            if (!response.IsSuccessStatusCode) return null;
            return PresenceReport.Of(JsonSerializer.Deserialize(
                ByteOrderMark.Skip((ReadOnlySpan<byte>)await response.Content.ReadAsByteArrayAsync(timeout.Token)), WireJson.Relaxed.Presence));
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or InvalidOperationException)
        {
            // The last is the reader's word for what is not Unicode.
            return null;
        }
    }

    public void Dispose() => _client.Dispose();
}

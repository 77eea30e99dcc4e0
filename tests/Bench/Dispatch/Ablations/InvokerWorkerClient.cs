using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Workers;

namespace Lab.Bench.Dispatch.Ablations;

/// <summary>Calls workers as <see cref="HttpWorkerClient"/> does for single texts, by <see cref="HttpMessageInvoker"/>.</summary>
/// <param name="probes">Answers everything but single texts.</param>
/// <param name="time">The clock.</param>
internal sealed class InvokerWorkerClient(HttpWorkerClient probes, TimeProvider time) : IWorkerClient, IDisposable
{
    private static readonly MediaTypeHeaderValue PlainText = new("text/plain", "utf-8");

    private readonly ConcurrentDictionary<Uri, Uri> _addresses = new();
    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler
    {
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(2),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        UseCookies = false,
        UseProxy = false,
    });

    public async ValueTask<WorkerReply> SendAsync(DispatchCall call)
    {
        using var activity = DispatchTracing.Start(call, time);
        var reply = await TrySendAsync(call);
        DispatchTracing.End(activity, reply);
        return reply;
    }

    public Task<ProbeResult> ProbeAsync(Uri address, bool readModel, CancellationToken cancellationToken) => probes.ProbeAsync(address, readModel, cancellationToken);

    public void Dispose() => _invoker.Dispose();

    private async ValueTask<WorkerReply> TrySendAsync(DispatchCall call)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _addresses.GetOrAdd(call.Address, static address => new(address, "/run_model")))
            {
                Content = new ReadOnlyMemoryContent(call.Entries[0].Utf8),
            };
            request.Content.Headers.ContentType = PlainText;
            using var response = await _invoker.SendAsync(request, call.Aborted);
            await response.Content.LoadIntoBufferAsync(HttpWorkerClient.MaxAnswerBytes(call), call.Aborted);
            return HttpWorkerClient.Read(call, (int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(call.Aborted));
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            return new WorkerReply.Failed(e.Message);
        }
    }
}

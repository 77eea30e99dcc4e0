using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;

namespace Lab.Bench.Dispatch.Ablations;

/// <summary>Calls workers as <see cref="HttpWorkerClient"/> does for single texts, with a library in the place of its own code.</summary>
/// <param name="ablation">In the place of what.</param>
/// <param name="probes">Answers everything but single texts.</param>
/// <param name="time">The clock.</param>
internal sealed class AblatedWorkerClient(Ablation ablation, HttpWorkerClient probes, TimeProvider time) : IWorkerClient, IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    private static readonly MediaTypeHeaderValue PlainText = new("text/plain", "utf-8");

    private readonly IdleConnections _idle = new();
    private readonly ConcurrentDictionary<Uri, Uri> _addresses = new();
    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler
    {
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        ConnectTimeout = ConnectTimeout,
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

    public Task<PresenceReport?> AskPresenceAsync(Uri address, string id, CancellationToken cancellationToken) => probes.AskPresenceAsync(address, id, cancellationToken);

    public void Dispose()
    {
        _invoker.Dispose();
        _idle.Dispose();
    }

    private async ValueTask<WorkerReply> TrySendAsync(DispatchCall call)
    {
        try
        {
            return ablation.HasFlag(Ablation.Invoker) ? await InvokeAsync(call) : await ExchangeAsync(call);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            return new WorkerReply.Failed(e.Message);
        }
    }

    private async ValueTask<WorkerReply> InvokeAsync(DispatchCall call)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _addresses.GetOrAdd(call.Address, static address => new(address, "/run_model")))
        {
            Content = new ReadOnlyMemoryContent(call.Entries[0].Utf8),
        };
        request.Content.Headers.ContentType = PlainText;
        using var response = await _invoker.SendAsync(request, call.Aborted);
        await response.Content.LoadIntoBufferAsync(HttpWorkerClient.MaxAnswerBytes(call), call.Aborted);
        return Read(call, (int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(call.Aborted));
    }

    private async ValueTask<WorkerReply> ExchangeAsync(DispatchCall call)
    {
        var connection = _idle.Take(call.Address) ?? await WorkerConnection.OpenAsync(call.Address, ConnectTimeout, time, call.Aborted);
        connection.WriteText("/run_model", call.Entries[0].Trace, call.Entries[0].Utf8.Span);
        var (status, body) = await connection.ExchangeAsync(HttpWorkerClient.MaxAnswerBytes(call), call.Aborted);
        var reply = Read(call, status, body.Span);
        if (connection.IsReusable) _idle.Return(connection);
        else connection.Dispose();
        return reply;
    }

    private WorkerReply Read(DispatchCall call, int status, ReadOnlySpan<byte> body)
    {
        if (status != StatusCodes.Status200OK || !ablation.HasFlag(Ablation.ReadBySerializer)) return HttpWorkerClient.Read(call, status, body);
        try
        {
            var answer = JsonSerializer.Deserialize(body, WireJson.Relaxed.ModelAnswer);
            var fault = answer?.InputText != call.Entries[0].Text ? "its answer is not to the text that was asked about"
                : AnswerCheck.Fault(answer.Label, answer.Probabilities, answer.Labels, logits: null, call.Output);
            return fault is null ? new WorkerReply.Answered([new(answer!, null)], answer!.InferenceMs) : new WorkerReply.Failed(fault);
        }
        catch (JsonException e)
        {
            return new WorkerReply.Failed(e.Message);
        }
    }
}

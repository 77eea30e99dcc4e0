using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Health;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Workers;

/// <summary>
/// Speaks to workers over HTTP. It never retries: the dispatcher alone knows whether and where a request may go again.
/// </summary>
internal sealed class HttpWorkerClient : IWorkerClient, IDisposable
{
    // A text of the largest body comes back once, escaped at worst sixfold, with some numbers around it.
    private const int MaxAnswerBytesPerBodyByte = 6;
    private const int MaxAnswerOverhead = 64 * 1024;

    private const int FirstBuffer = 1024;

    private static readonly MediaTypeHeaderValue PlainText = new("text/plain", "utf-8");
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    // The bare handler: a client on top would add a timer and a linked token to every call, and the dispatcher has both.
    private readonly HttpMessageInvoker _client;
    private readonly long _maxAnswerBytes;
    private readonly TimeSpan _probeTimeout;

    public HttpWorkerClient(IOptions<OrchestratorOptions> options)
    {
        _probeTimeout = options.Value.ProbeTimeout;
        _maxAnswerBytes = (options.Value.MaxBodyBytes * MaxAnswerBytesPerBodyByte) + MaxAnswerOverhead;
        _client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            PooledConnectionLifetime = TimeSpan.FromMinutes(15),
        });
    }

    public async Task<WorkerReply> SendAsync(DispatchCall call)
    {
        using var activity = DispatchTracing.Start(call);
        var reply = await TrySendAsync(call);
        DispatchTracing.End(activity, reply);
        return reply;
    }

    public async Task<ProbeResult> ProbeAsync(Uri address, bool readModel, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(_probeTimeout);
        // A probe belongs to no request; without this it would show up as a trace of its own every few seconds.
        Activity.Current = null;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, HealthEndpoints.ReadyPath));
            using var response = await _client.SendAsync(request, timeout.Token);
            if (!response.IsSuccessStatusCode) return new($"its health check answers {(int)response.StatusCode}");
            return readModel ? await ReadModelAsync(address, timeout.Token) : default;
        }
        catch (HttpRequestException e)
        {
            return new(e.Message);
        }
        catch (OperationCanceledException)
        {
            return new($"its health check does not answer within {_probeTimeout.TotalSeconds:0.###} s");
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<ProbeResult> ReadModelAsync(Uri address, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/info"));
        using var response = await _client.SendAsync(request, cancellation);
        // Somebody else's worker that only knows /run_model has nothing to tell.
        if (response.StatusCode is HttpStatusCode.NotFound) return default;
        if (!response.IsSuccessStatusCode) return new($"its /info answers {(int)response.StatusCode}");
        var (buffer, length) = await ReadBodyAsync(response, cancellation);
        try
        {
            var model = JsonSerializer.Deserialize(buffer.AsSpan(0, length), WireJson.Relaxed.ModelInfo);
            return model is { ModelId: not null, ModelSha: not null, ModelType.Classifier.Id2Label.Count: > 0 }
                ? new(null, model)
                : new("its /info names no model with labels");
        }
        catch (JsonException e)
        {
            return new($"its /info cannot be read: {e.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<WorkerReply> TrySendAsync(DispatchCall call)
    {
        try
        {
            using var request = RequestFor(call);
            DispatchTracing.Forward(call.Entries[0].Trace, request);
            using var response = await _client.SendAsync(request, call.Aborted);
            return response.StatusCode switch
            {
                HttpStatusCode.OK => await ReadAnswersAsync(response, call),
                HttpStatusCode.TooManyRequests => new WorkerReply.Busy(),
                HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity when call.Entries.Count == 1 =>
                    new WorkerReply.Answered([new(null, await ReadDetailAsync(response, call.Aborted))], InferenceMs: 0),
                _ => new WorkerReply.Failed($"it answered {(int)response.StatusCode}"),
            };
        }
        catch (HttpRequestException e)
        {
            return new WorkerReply.Failed(e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message);
        }
        catch (OperationCanceledException)
        {
            return new WorkerReply.Failed("the call was given up");
        }
    }

    private static HttpRequestMessage RequestFor(DispatchCall call)
    {
        if (call.IsPlain)
        {
            // Plain text is the worker's cheapest form: nothing is escaped, so that the limit on bodies holds for it as well.
            var text = new ByteArrayContent(Encoding.UTF8.GetBytes(call.Entries[0].Text));
            text.Headers.ContentType = PlainText;
            return new(HttpMethod.Post, call.Target) { Content = text };
        }

        var texts = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(
            new([.. call.Entries.Select(entry => entry.Text)],
                call.Entries.Any(entry => entry.Options is not null) ? [.. call.Entries.Select(entry => entry.Options)] : null), WireJson.Relaxed.BatchRequest));
        texts.Headers.ContentType = Json;
        return new(HttpMethod.Post, call.Target) { Content = texts };
    }

    private async Task<WorkerReply> ReadAnswersAsync(HttpResponseMessage response, DispatchCall call)
    {
        var (buffer, length) = await ReadBodyAsync(response, call.Aborted);
        try
        {
            var body = buffer.AsSpan(0, length);
            if (call.IsPlain)
            {
                var answer = JsonSerializer.Deserialize(body, WireJson.Relaxed.ModelAnswer);
                return answer is { Label: not null, Probabilities.Count: > 0 }
                    ? new WorkerReply.Answered([new(answer, null)], answer.InferenceMs)
                    : new WorkerReply.Failed("its answer has no label or no probabilities");
            }

            var batch = JsonSerializer.Deserialize(body, WireJson.Relaxed.BatchAnswer);
            return batch?.Results is { } results && results.Count == call.Entries.Count && results.Zip(call.Entries).All(pair => IsWhole(pair.First, pair.Second))
                ? new WorkerReply.Answered([.. results.Zip(call.Entries, (result, entry) => ReplyOf(result, entry.Text, batch.InferenceMs))], batch.InferenceMs)
                : new WorkerReply.Failed("its answer has not one result for each text");
        }
        catch (JsonException e)
        {
            return new WorkerReply.Failed($"its answer cannot be read: {e.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a body into a pooled buffer, which the caller gives back.</summary>
    /// <exception cref="HttpRequestException">The body is larger than any answer can be, or breaks off.</exception>
    private async Task<(byte[] Buffer, int Length)> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(response.Content.Headers.ContentLength ?? 0, FirstBuffer, _maxAnswerBytes));
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            var length = 0;
            while (await body.ReadAsync(buffer.AsMemory(length), cancellation) is > 0 and var read)
            {
                length += read;
                if (length < buffer.Length) continue;
                if (length >= _maxAnswerBytes) throw new HttpRequestException($"its answer is larger than {_maxAnswerBytes} bytes");
                var larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }

            return (buffer, length);
        }
        catch (IOException e)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw new HttpRequestException("its answer breaks off", e);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    private static bool IsWhole(BatchResult result, QueueEntry entry) =>
        result is { Error: not null }
        || (result is { Label: not null, Probabilities.Count: > 0 }
            && (entry.Options is not { RawScores: true } || result.Logits?.Count == result.Probabilities.Count));

    private static TextReply ReplyOf(BatchResult result, string text, double inferenceMs) => result.Error is { } error
        ? new(null, error)
        : new(new(text, result.Label!, result.Probabilities!, inferenceMs, result.Truncated ?? false), null, result.Logits);

    private async Task<string> ReadDetailAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var fallback = $"The worker answered {(int)response.StatusCode}.";
        var (buffer, length) = await ReadBodyAsync(response, cancellation);
        try
        {
            return JsonSerializer.Deserialize<ProblemDetails>(buffer.AsSpan(0, length), JsonSerializerOptions.Web)?.Detail ?? fallback;
        }
        catch (JsonException)
        {
            return fallback;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

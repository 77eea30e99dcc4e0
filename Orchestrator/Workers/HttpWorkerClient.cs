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
    private const int MaxProblemBytes = 64 * 1024;

    // A text of the largest body comes back once, escaped at worst sixfold, with some numbers around it.
    private const int MaxAnswerBytesPerBodyByte = 6;
    private const int MaxAnswerOverhead = 64 * 1024;

    private static readonly MediaTypeHeaderValue PlainText = new("text/plain", "utf-8");
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly HttpClient _client;
    private readonly TimeSpan _probeTimeout;

    public HttpWorkerClient(IOptions<OrchestratorOptions> options)
    {
        _probeTimeout = options.Value.ProbeTimeout;
        _client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            PooledConnectionLifetime = TimeSpan.FromMinutes(15),
        })
        {
            // The dispatcher ends a call that takes too long, by its own clock.
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = (options.Value.MaxBodyBytes * MaxAnswerBytesPerBodyByte) + MaxAnswerOverhead,
        };
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
            using var response = await _client.GetAsync(new Uri(address, HealthEndpoints.ReadyPath), HttpCompletionOption.ResponseHeadersRead, timeout.Token);
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
        using var response = await _client.GetAsync(new Uri(address, "/info"), cancellation);
        // Somebody else's worker that only knows /run_model has nothing to tell.
        if (response.StatusCode is HttpStatusCode.NotFound) return default;
        if (!response.IsSuccessStatusCode) return new($"its /info answers {(int)response.StatusCode}");
        try
        {
            var model = await response.Content.ReadFromJsonAsync(WireJson.Relaxed.ModelInfo, cancellation);
            return model is { ModelId: not null, ModelSha: not null, ModelType.Classifier.Id2Label.Count: > 0 }
                ? new(null, model)
                : new("its /info names no model with labels");
        }
        catch (JsonException e)
        {
            return new($"its /info cannot be read: {e.Message}");
        }
    }

    private async Task<WorkerReply> TrySendAsync(DispatchCall call)
    {
        try
        {
            using var request = RequestFor(call);
            DispatchTracing.Forward(call.Entries[0].Trace, request);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead, call.Aborted);
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

    private static bool IsPlain(DispatchCall call) => call.Entries is [{ Options: null }];

    private static HttpRequestMessage RequestFor(DispatchCall call)
    {
        if (IsPlain(call))
        {
            // Plain text is the worker's cheapest form: nothing is escaped, so that the limit on bodies holds for it as well.
            var text = new ByteArrayContent(Encoding.UTF8.GetBytes(call.Entries[0].Text));
            text.Headers.ContentType = PlainText;
            return new(HttpMethod.Post, new Uri(call.Address, "/run_model")) { Content = text };
        }

        var texts = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(
            new([.. call.Entries.Select(entry => entry.Text)],
                call.Entries.Any(entry => entry.Options is not null) ? [.. call.Entries.Select(entry => entry.Options)] : null), WireJson.Relaxed.BatchRequest));
        texts.Headers.ContentType = Json;
        return new(HttpMethod.Post, new Uri(call.Address, "/run_batch")) { Content = texts };
    }

    private static async Task<WorkerReply> ReadAnswersAsync(HttpResponseMessage response, DispatchCall call)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(call.Aborted);
            if (IsPlain(call))
            {
                var answer = await JsonSerializer.DeserializeAsync(body, WireJson.Relaxed.ModelAnswer, call.Aborted);
                return answer is { Label: not null, Probabilities.Count: > 0 }
                    ? new WorkerReply.Answered([new(answer, null)], answer.InferenceMs)
                    : new WorkerReply.Failed("its answer has no label or no probabilities");
            }

            var batch = await JsonSerializer.DeserializeAsync(body, WireJson.Relaxed.BatchAnswer, call.Aborted);
            return batch?.Results is { } results && results.Count == call.Entries.Count && results.Zip(call.Entries).All(pair => IsWhole(pair.First, pair.Second))
                ? new WorkerReply.Answered([.. results.Zip(call.Entries, (result, entry) => ReplyOf(result, entry.Text, batch.InferenceMs))], batch.InferenceMs)
                : new WorkerReply.Failed("its answer has not one result for each text");
        }
        catch (JsonException e)
        {
            return new WorkerReply.Failed($"its answer cannot be read: {e.Message}");
        }
    }

    private static bool IsWhole(BatchResult result, QueueEntry entry) =>
        result is { Error: not null }
        || (result is { Label: not null, Probabilities.Count: > 0 }
            && (entry.Options is not { RawScores: true } || result.Logits?.Count == result.Probabilities.Count));

    private static TextReply ReplyOf(BatchResult result, string text, double inferenceMs) => result.Error is { } error
        ? new(null, error)
        : new(new(text, result.Label!, result.Probabilities!, inferenceMs, result.Truncated ?? false), null, result.Logits);

    private static async Task<string> ReadDetailAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var fallback = $"The worker answered {(int)response.StatusCode}.";
        if (response.Content.Headers.ContentLength is null or > MaxProblemBytes) return fallback;
        try
        {
            var problem = await response.Content.ReadFromJsonAsync<ProblemDetails>(cancellation);
            return problem?.Detail ?? fallback;
        }
        catch (JsonException)
        {
            return fallback;
        }
    }
}

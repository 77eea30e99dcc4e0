using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Lab.Bench.Cluster;
using Lab.Bench.Running;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Bench.Load;

/// <summary>
/// Asks <c>POST /new_request</c> and reads what comes. Lean, for it shares the machine with what it measures: bodies are
/// encoded beforehand and answers read into buffers that are used again.
/// </summary>
internal sealed class LabClient : IDisposable
{
    private const int FirstBuffer = 4096;
    private const int LargestAnswer = 4 * 1024 * 1024;

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly HttpMessageInvoker _http;
    private readonly Uri _address;
    private readonly AuthenticationHeaderValue? _key;
    private readonly TimeSpan _patience;
    private readonly double _tolerance;
    private readonly TimeProvider _time;

    /// <param name="target">The orchestrator, and how to ask it.</param>
    /// <param name="time">The clock.</param>
    public LabClient(Target target, TimeProvider time)
    {
        _http = new(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
            ConnectTimeout = target.Patience,
            SslOptions = PinnedCertificate.Options(target.Fingerprint),
        });
        _address = new(target.Orchestrator, "/new_request");
        _key = target.Key is { } key ? new("Bearer", key) : null;
        _patience = target.Patience;
        _tolerance = target.Tolerance;
        _time = time;
    }

    /// <summary>How the model that answers makes scores.</summary>
    public ProblemType Problem { get; set; }

    /// <summary>Sends one text and waits for its end. Never throws because of the other side.</summary>
    /// <param name="text">The text.</param>
    /// <param name="giveUp">Cancelled when the user wants no more.</param>
    public async Task<Reply> AskAsync(Text text, CancellationToken giveUp)
    {
        using var limit = new CancellationTokenSource(_patience, _time);
        await using var both = giveUp.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), limit);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _address);
            request.Content = new ByteArrayContent(text.Body) { Headers = { ContentType = Json } };
            request.Headers.Authorization = _key;
            using var response = await _http.SendAsync(request, limit.Token);
            return await ReadAsync(response, text, limit.Token);
        }
        catch (OperationCanceledException)
        {
            return giveUp.IsCancellationRequested
                ? new(Ending.GivenUp, "given up when the run was ended")
                : new(Ending.Lost, $"no answer within {Durations.Text(_patience)}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return new(Ending.Lost, Innermost(e));
        }
    }

    public void Dispose() => _http.Dispose();

    private static string Innermost(Exception e)
    {
        while (e.InnerException is { } inner) e = inner;
        return e is SocketException { SocketErrorCode: var code } ? $"connection failed ({code})" : $"connection failed ({e.Message.TrimEnd('.')})";
    }

    private async Task<Reply> ReadAsync(HttpResponseMessage response, Text text, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(response.Content.Headers.ContentLength + 1 ?? FirstBuffer, FirstBuffer, LargestAnswer));
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            var length = 0;
            while (await body.ReadAsync(buffer.AsMemory(length), cancellation) is > 0 and var read)
            {
                length += read;
                if (length < buffer.Length) continue;
                if (length >= LargestAnswer) return new(Ending.Wrong, "the answer is longer than 4 MiB");
                var larger = ArrayPool<byte>.Shared.Rent(length * 2);
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }

            return response.IsSuccessStatusCode ? Judge(buffer.AsSpan(0, length), text) : Refusal(response, buffer.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private Reply Judge(ReadOnlySpan<byte> body, Text text)
    {
        var (answer, fault) = AnswerReader.Read(body, text, _tolerance, Problem);
        return new(fault is null ? Ending.Answered : Ending.Wrong, fault, answer);
    }

    // The status and the problem's title (RFC 9457), which are few; its detail may differ each time.
    private static Reply Refusal(HttpResponseMessage response, ReadOnlySpan<byte> body)
    {
        var status = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
        var reason = $"{status} {response.ReasonPhrase}";
        try
        {
            var reader = new Utf8JsonReader(body);
            using var problem = JsonDocument.ParseValue(ref reader);
            if (problem.RootElement.TryGetProperty("title", out var title)) reason = $"{status} {title.GetString()}";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A refusal by something between us and the orchestrator: the status must do.
        }

        return new(Ending.Refused, reason, RetryAfter: response.Headers.RetryAfter?.Delta);
    }
}

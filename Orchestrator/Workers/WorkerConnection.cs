using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace Lab.Orchestrator.Workers;

/// <summary>
/// One kept connection to a worker (HTTP/1.1, RFC 9112), for one exchange at a time. A worker gets one dispatch at a
/// time, so that nothing of a general client's pool, its queues and its handlers is needed: with <see cref="HttpMessageInvoker"/>
/// in its place there are 7 % fewer requests/s, and each takes 11 % more processor (<c>bench dispatch --ablations</c>).
/// </summary>
internal sealed class WorkerConnection : IDisposable
{
    private const int InitialBuffer = 4 * 1024;

    // What a large text has needed is not kept for the small ones after it.
    private const int MaxKeptBuffer = 64 * 1024;

    private const int MaxTraceState = 512;

    // Servers close connections that rest for minutes; whether this one has is asked only where it can be.
    private static readonly TimeSpan RestWithoutCheck = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxRest = TimeSpan.FromMinutes(1);

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly ResponseReader _reader;
    private readonly byte[] _host;
    private readonly TimeProvider _time;
    private ArrayBufferWriter<byte> _request = new(InitialBuffer);
    private bool _closes;
    private bool _isSent;
    private long _restsSince;

    private WorkerConnection(Uri address, Socket socket, Stream stream, TimeProvider time)
    {
        Address = address;
        _time = time;
        _socket = socket;
        _stream = stream;
        _reader = new(stream);
        _host = Encoding.ASCII.GetBytes(address.IsDefaultPort ? address.IdnHost : $"{HostOf(address)}:{address.Port}");
    }

    /// <summary>Whom it leads to.</summary>
    public Uri Address { get; }

    /// <summary>Whether the exchange has left it such that another may follow.</summary>
    public bool IsReusable => !_closes;

    /// <summary>Whether any byte of the last exchange's answer has come.</summary>
    public bool HasAnswered => _isSent && _reader.HasBegun;

    /// <summary>Status line and headers of the last exchange's answer.</summary>
    public ResponseHead Head => _reader.Head;

    /// <summary>Connects, with TLS for <c>https</c>.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    /// <exception cref="IOException">The connection breaks off.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">Its certificate is not valid.</exception>
    /// <exception cref="TimeoutException">It does not answer within <paramref name="timeout"/>.</exception>
    public static async Task<WorkerConnection> OpenAsync(Uri address, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(timeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(address.IdnHost, address.Port), limit.Token);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (address.Scheme == Uri.UriSchemeHttps)
            {
                var secured = new SslStream(stream);
                stream = secured;
                await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.IdnHost }, limit.Token);
            }

            return new(address, socket, stream, time);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            stream?.Dispose();
            socket.Dispose();
            throw new TimeoutException($"it does not take a connection within {timeout.TotalSeconds:0.###} s");
        }
        catch
        {
            stream?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether a connection that has rested is still worth using.</summary>
    public bool IsAlive()
    {
        var rest = _time.GetElapsedTime(_restsSince);
        if (rest < RestWithoutCheck) return true;
        // Readable without having been asked anything: closed, or no connection to trust.
        return rest < MaxRest && !_socket.Poll(0, SelectMode.SelectRead);
    }

    /// <summary>Whether it has rested so long that it is not used again.</summary>
    public bool IsTooOld() => _time.GetElapsedTime(_restsSince) >= MaxRest;

    /// <summary>Prepares a request with a text in UTF-8 as its body.</summary>
    public void WriteText(string path, ActivityContext trace, ReadOnlySpan<byte> text)
    {
        WriteHead(path, "text/plain; charset=utf-8"u8, trace, text.Length);
        _request.Write(text);
    }

    /// <summary>Prepares a request with JSON as its body.</summary>
    public void WriteJson(string path, ActivityContext trace, ReadOnlySpan<byte> json)
    {
        WriteHead(path, "application/json"u8, trace, json.Length);
        _request.Write(json);
    }

    /// <summary>Sends what was prepared and waits for the whole answer.</summary>
    /// <returns>The status, and the body, which is valid until the next exchange or the connection's end.</returns>
    /// <exception cref="IOException">The connection breaks off.</exception>
    /// <exception cref="InvalidDataException">The answer is no HTTP/1.1, or larger than <paramref name="maxBodyBytes"/>.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<(int Status, ReadOnlyMemory<byte> Body)> ExchangeAsync(long maxBodyBytes, CancellationToken cancellationToken)
    {
        // Only an exchange that comes to its end makes the connection fit for another.
        _closes = true;
        // Until then the reader tells of the exchange before.
        _isSent = false;
        await _stream.WriteAsync(_request.WrittenMemory, cancellationToken);
        _isSent = true;
        var (status, body, keepsOpen) = await _reader.ReadAsync(maxBodyBytes, cancellationToken);
        _closes = !keepsOpen;
        return (status, body);
    }

    /// <summary>Lets it rest until the next exchange.</summary>
    public void Rest()
    {
        _restsSince = _time.GetTimestamp();
        if (_request.Capacity > MaxKeptBuffer) _request = new(InitialBuffer);
    }

    public void Dispose() => _stream.Dispose();

    private static string HostOf(Uri address) => address.HostNameType is UriHostNameType.IPv6 ? $"[{address.IdnHost}]" : address.IdnHost;

    private void WriteHead(string path, ReadOnlySpan<byte> contentType, ActivityContext trace, int length)
    {
        _request.ResetWrittenCount();
        _request.Write("POST "u8);
        Encoding.ASCII.GetBytes(path, _request);
        _request.Write(" HTTP/1.1\r\nHost: "u8);
        _request.Write(_host);
        _request.Write("\r\nContent-Type: "u8);
        _request.Write(contentType);
        _request.Write("\r\nContent-Length: "u8);
        Write(length.ToString(CultureInfo.InvariantCulture));
        if (trace.TraceId != default)
        {
            // W3C Trace Context
            Write($"\r\ntraceparent: 00-{trace.TraceId.ToHexString()}-{trace.SpanId.ToHexString()}-{(int)trace.TraceFlags:x2}");
            if (trace.TraceState is { Length: > 0 and <= MaxTraceState } state && !state.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                Write($"\r\ntracestate: {state}");
        }

        _request.Write("\r\n\r\n"u8);
    }

    private void Write(string ascii) => Encoding.ASCII.GetBytes(ascii, _request);
}

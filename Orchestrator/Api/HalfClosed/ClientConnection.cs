using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http.Features;

namespace Lab.Orchestrator.Api.HalfClosed;

/// <summary>
/// A client's connection, which tells a client that has only closed its side from one that has gone. TCP shows no difference
/// until something is sent, which who has gone answers with a reset: an interim response (RFC 9110, 15.2), which clients of
/// HTTP/1.1 pass over.
/// </summary>
internal sealed class ClientConnection : IDuplexPipe, IDisposable
{
    // The reset of who has gone comes within a round trip; after that thousands who only wait shall cost next to nothing.
    private static readonly TimeSpan InitialLookInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxLookInterval = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _gone = new();
    private readonly Lock _turn = new();
    private readonly Socket _socket;
    private readonly PipeWriter _output;
    private readonly TimeProvider _time;
    private IHttpResponseFeature? _continued;
    private bool _hasRequest;
    private bool _leavesWhenClosed;
    private bool _isWatched;
    private bool _isOver;
    private volatile bool _hasBegunToAnswer;
    private volatile bool _isClosed;

    /// <summary>A connection that has begun.</summary>
    /// <param name="socket">Its socket.</param>
    /// <param name="transport">Its bytes.</param>
    /// <param name="time">The clock that says when to look again.</param>
    public ClientConnection(Socket socket, IDuplexPipe transport, TimeProvider time)
    {
        (_socket, _output, _time) = (socket, transport.Output, time);
        (Input, Output) = (new RequestReader(transport.Input, this), new AnswerWriter(transport.Output, this));
    }

    private static ReadOnlySpan<byte> Interim => "HTTP/1.1 102 Processing\r\n\r\n"u8;

    /// <summary>What the client sends.</summary>
    public PipeReader Input { get; }

    /// <summary>What the client gets.</summary>
    public PipeWriter Output { get; }

    /// <summary>Is canceled when the client has gone.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <summary>An interim response on its way.</summary>
    public Task PendingInterim { get; private set; } = Task.CompletedTask;

    /// <summary>A request of the client's is answered from here on.</summary>
    public void Begin(HttpContext request, bool leavesWhenClosed)
    {
        _continued = request.Request.Headers.Expect.Count > 0 ? request.Features.Get<IHttpResponseFeature>() : null;
        lock (_turn) (_hasRequest, _leavesWhenClosed, _hasBegunToAnswer) = (true, leavesWhenClosed, false);
        // Request and close may come together.
        if (_isClosed) Look();
    }

    /// <summary>The answer's first bytes are about to be written: nothing may come between them.</summary>
    public void BeginToAnswer()
    {
        if (_hasBegunToAnswer) return;
        lock (_turn) _hasBegunToAnswer = true;
    }

    /// <summary>What was written is on its way: the answer, or only the word that the client may send its body.</summary>
    public void OnFlushed()
    {
        if (_continued is { HasStarted: false }) _hasBegunToAnswer = false;
        _continued = null;
    }

    /// <summary>Lets this request end with the client's side.</summary>
    public void LeaveWhenClosed()
    {
        lock (_turn) _leavesWhenClosed = true;
        if (_isClosed) Look();
    }

    /// <summary>The client has closed its side, or its connection has broken.</summary>
    public void OnClosed()
    {
        _isClosed = true;
        Look();
    }

    /// <summary>The client has gone.</summary>
    public void Leave()
    {
        try
        {
            _gone.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The connection has ended meanwhile.
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Dispose()
    {
        lock (_turn) _isOver = true;
        _gone.Dispose();
    }

    private void Look()
    {
        lock (_turn)
        {
            // Where there is no request the server sees by itself that none comes.
            if (!_hasRequest || _isOver) return;
            if (!_leavesWhenClosed && Probe())
            {
                if (!_isWatched) _ = WatchAsync();
                _isWatched = true;
                return;
            }
        }

        Leave();
    }

    private async Task WatchAsync()
    {
        var sinceProbe = TimeSpan.Zero;
        for (var interval = InitialLookInterval; ; interval = interval < MaxLookInterval ? 2 * interval : interval)
        {
            await Task.Delay(interval, _time);
            sinceProbe += interval;
            lock (_turn)
            {
                if (_isOver) return;
                var mayWait = sinceProbe < ProbeInterval ? !HasFailed() : Probe();
                if (sinceProbe >= ProbeInterval) sinceProbe = TimeSpan.Zero;
                if (mayWait) continue;
            }

            Leave();
            return;
        }
    }

    // Returns whether the client may still be there.
    private bool Probe()
    {
        if (HasFailed()) return false;
        if (_hasBegunToAnswer || !PendingInterim.IsCompleted) return true;
        try
        {
            _output.Write(Interim);
            PendingInterim = _output.FlushAsync().AsTask();
            return true;
        }
        catch (InvalidOperationException)
        {
            // The server has ended the connection.
            return false;
        }
    }

    // Nothing is sent by this, but a connection that has been reset does not take it.
    private bool HasFailed()
    {
        try
        {
            _socket.Send(ReadOnlySpan<byte>.Empty, SocketFlags.None);
            return false;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }
}

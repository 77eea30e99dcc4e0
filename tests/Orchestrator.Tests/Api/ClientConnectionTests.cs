using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Lab.Orchestrator.Api.HalfClosed;
using Lab.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>How a client's connection is looked at that has been closed or reset.</summary>
public sealed class ClientConnectionTests : IDisposable
{
    private readonly Socket _client = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly RecordedTime _time = new();

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task OnClosed_ClientWaits_IsLookedAtEverMoreSeldomAndStays()
    {
        using var socket = await AcceptAsync();
        using var connection = await CloseSideAsync(socket);
        Assert.True(await LookAsync(_ => false, looks: 20) > TimeSpan.FromSeconds(10));
        Assert.False(connection.Gone.IsCancellationRequested);
    }

    [Fact]
    public async Task OnClosed_ClientGoesAfterAMinute_IsSeenWithinASecond()
    {
        using var socket = await AcceptAsync();
        using var connection = await CloseSideAsync(socket);
        await LookAsync(past => past > TimeSpan.FromMinutes(1), looks: 200);
        _client.LingerState = new(enable: true, seconds: 0);
        _client.Close();
        await Eventually.TrueAsync(() => socket.Poll(0, SelectMode.SelectError) || socket.Poll(0, SelectMode.SelectRead), "the reset has come");
        Assert.True(await LookAsync(_ => connection.Gone.IsCancellationRequested, looks: 2) <= TimeSpan.FromSeconds(2));
        Assert.True(connection.Gone.IsCancellationRequested);
    }

    [Fact]
    public async Task Read_ConnectionIsReset_IsGoneBeforeTheServerHearsOfIt()
    {
        using var socket = await AcceptAsync();
        var input = new Pipe();
        using var connection = new ClientConnection(socket, new Transport(input.Reader, new Pipe().Writer), _time);
        var read = connection.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask();
        await input.Writer.CompleteAsync(new ConnectionResetException("reset"));
        await Assert.ThrowsAsync<ConnectionResetException>(() => read);
        Assert.True(connection.Gone.IsCancellationRequested);
    }

    private async Task<Socket> AcceptAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await _client.ConnectAsync(listener.LocalEndPoint!);
        return await listener.AcceptAsync();
    }

    private async Task<ClientConnection> CloseSideAsync(Socket socket)
    {
        var output = new Pipe(new(pauseWriterThreshold: 0));
        var connection = new ClientConnection(socket, new Transport(new Pipe().Reader, output.Writer), _time);
        connection.Begin(new DefaultHttpContext(), leavesWhenClosed: false);
        connection.OnClosed();
        await Eventually.TrueAsync(() => !_time.Waits.IsEmpty, "it is watched");
        return connection;
    }

    // Lets the time go on from look to look.
    private async Task<TimeSpan> LookAsync(Func<TimeSpan, bool> until, int looks)
    {
        var past = TimeSpan.Zero;
        for (var i = 0; i < looks && !until(past); i++)
        {
            await Eventually.TrueAsync(() => !_time.Waits.IsEmpty || until(past), "it waits for its next look");
            if (!_time.Waits.TryDequeue(out var wait)) break;
            _time.Advance(wait);
            past += wait;
        }

        return past;
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class RecordedTime : FakeTimeProvider
    {
        public ConcurrentQueue<TimeSpan> Waits { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Waits.Enqueue(dueTime);
            return timer;
        }
    }
}

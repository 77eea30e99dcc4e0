using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Lab.Orchestrator.Dispatch;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Api;

/// <summary>
/// Leaving without refusing anybody. With <see cref="OrchestratorOptions.ReusePort"/> a second process may listen on the
/// same address, and new connections are steered to it (Linux, <c>SO_REUSEPORT</c>). The first, told to stop, goes on
/// serving the connections that it has until each has been asked, by <c>Connection: close</c> on an answer, to connect
/// anew; only then the server stops, which finishes what it has accepted within the host's shutdown timeout. The second
/// listens once it has a worker, or has waited for one for a moment: connections are its from then on.
/// </summary>
/// <remarks>
/// It waits before any other part stops: the server would close the connections that clients keep, in the face of those
/// who are about to ask.
/// </remarks>
internal sealed class Handover(Dispatcher dispatcher, IOptions<OrchestratorOptions> options, TimeProvider time) : IHostedLifecycleService
{
    private const int SolSocket = 1;
    private const int SoReusePort = 15;
    private const int SoAttachReusePortCbpf = 51;

    // Long enough for connections that the kernel had already given to this process to be accepted.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    // For clients that keep a connection and ask seldom. Some never ask again.
    private static readonly TimeSpan MaxGrace = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentQueue<Socket> _listening = new();
    private volatile bool _leaving;
    private int _open;

    /// <summary>Whether the server has begun to leave.</summary>
    public bool IsLeaving => _leaving;

    /// <summary>Makes listening sockets that another process may share.</summary>
    public void Share(SocketTransportOptions transport) => transport.CreateBoundListenSocket = endpoint =>
    {
        // A Unix socket is a file of its own: there is nothing to share.
        if (endpoint is not IPEndPoint) return SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetRawSocketOption(SolSocket, SoReusePort, BitConverter.GetBytes(1));
        if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
        socket.Bind(endpoint);
        _listening.Enqueue(socket);
        return socket;
    };

    /// <summary>Counts the connections that are open.</summary>
    public ConnectionDelegate Count(ConnectionDelegate next) => async connection =>
    {
        Interlocked.Increment(ref _open);
        try
        {
            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    };

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_listening.IsEmpty) return;
        var started = time.GetTimestamp();
        _leaving = true;
        foreach (var socket in _listening) SteerToNewer(socket);
        try
        {
            await Task.Delay(Grace, time, cancellationToken);
            while (Volatile.Read(ref _open) > 0 && time.GetElapsedTime(started) < MaxGrace) await Task.Delay(PollInterval, time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The host has no more time: it stops as it is.
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Waits for the first worker, as long as a probe may take, but five seconds at most.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.IsPortShared) return;
        var limit = options.Value.ProbeTimeout < MaxWait ? options.Value.ProbeTimeout : MaxWait;
        var started = time.GetTimestamp();
        while (await dispatcher.CountWorkersAsync(cancellationToken) is (0, > 0) && time.GetElapsedTime(started) < limit)
            await Task.Delay(LookInterval, time, cancellationToken);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Has the kernel give new connections to the second socket of the group, which is the newer process's, by a classic
    /// BPF program of one instruction, "return 1". With no second socket the kernel falls back to this one.
    /// </summary>
    private static void SteerToNewer(Socket socket)
    {
        // struct sock_filter { u16 code; u8 jt, jf; u32 k; } – BPF_RET | BPF_K, 1
        byte[] filter = [0x06, 0, 0, 0, 1, 0, 0, 0];
        var pinned = GCHandle.Alloc(filter, GCHandleType.Pinned);
        try
        {
            // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
            var program = new byte[16];
            program[0] = 1;
            BitConverter.TryWriteBytes(program.AsSpan(8), pinned.AddrOfPinnedObject());
            socket.SetRawSocketOption(SolSocket, SoAttachReusePortCbpf, program);
        }
        catch (SocketException)
        {
            // Not allowed here, in a strict sandbox: the kernel goes on choosing by itself, and the grace covers the rest.
        }
        finally
        {
            pinned.Free();
        }
    }
}

/// <summary>Puts <see cref="Handover"/> before the endpoints.</summary>
internal static class HandoverExtensions
{
    public static void UseHandover(this WebApplication app)
    {
        var handover = app.Services.GetRequiredService<Handover>();
        app.Use((context, next) =>
        {
            if (handover.IsLeaving) context.Response.Headers.Connection = "close";
            return next(context);
        });
    }
}

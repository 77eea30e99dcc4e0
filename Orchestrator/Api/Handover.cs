using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Lab.Orchestrator.Api;

/// <summary>
/// Stopping without refusing anybody. On SIGTERM the server first asks clients to connect anew, by
/// <c>Connection: close</c> on each answer, goes on serving for a moment, and only then stops; it finishes what it has
/// accepted within the host's shutdown timeout. With <see cref="OrchestratorOptions.ReusePort"/> a second process may
/// listen on the same address meanwhile, and new connections are steered to it (Linux, <c>SO_REUSEPORT</c>).
/// </summary>
internal sealed class Handover(IHostApplicationLifetime lifetime, TimeProvider time) : IHostedService, IDisposable
{
    private const int SolSocket = 1;
    private const int SoReusePort = 15;
    private const int SoAttachReusePortCbpf = 51;

    // Long enough for connections that the kernel had already given to this process to be accepted and answered.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    // Where somebody else may serve meanwhile there is time to tell also those who ask seldom, on connections they keep.
    private static readonly TimeSpan SharedGrace = TimeSpan.FromSeconds(3);

    private readonly ConcurrentQueue<Socket> _listening = new();
    private PosixSignalRegistration? _registration;
    private ITimer? _timer;
    private volatile bool _leaving;

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

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registration = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            Leave();
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _registration?.Dispose();
        _timer?.Dispose();
    }

    /// <summary>Begins to leave; the second call changes nothing.</summary>
    internal void Leave()
    {
        if (_leaving) return;
        _leaving = true;
        foreach (var socket in _listening) SteerToNewer(socket);
        _timer = time.CreateTimer(_ => lifetime.StopApplication(), null, _listening.IsEmpty ? Grace : SharedGrace, Timeout.InfiniteTimeSpan);
    }

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

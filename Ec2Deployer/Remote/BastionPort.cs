using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Remote;

/// <summary>A port of this machine's loopback that leads through a bastion to one address behind it: a process of OpenSSH's client for each connection.</summary>
internal sealed class BastionPort : IDisposable
{
    private const int ErrorLimit = 8 << 10;
    private const string Silent = "it ends without a word";
    private const int BufferSize = 64 << 10;
    private static readonly TimeSpan ErrorPatience = TimeSpan.FromSeconds(2);

    // OpenSSH's server refuses at random, once ten connections have not logged in yet.
    private static readonly SemaphoreSlim LoggingIn = new(4);

    private readonly Bastion _bastion;
    private readonly IReadOnlyList<string> _arguments;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private volatile string? _failure;

    /// <summary>Opens it.</summary>
    /// <param name="bastion">The bastion.</param>
    /// <param name="address">The address behind it.</param>
    /// <param name="port">The port there.</param>
    public BastionPort(Bastion bastion, string address, int port)
    {
        (_bastion, _arguments) = (bastion, bastion.Arguments(address, port));
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where it is.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Why the last connection that came to nothing did, in the client's words; or null.</summary>
    public string? Failure => _failure;

    /// <summary>What the bastion met on its way to the address, where <see cref="Failure"/> says that it was let in but came no further; or null.</summary>
    public SocketError? FailureBehind => _failure switch
    {
        null => null,
        var text when !text.Contains("open failed: connect failed", StringComparison.Ordinal) => null,
        var text when text.Contains("refused", StringComparison.OrdinalIgnoreCase) => SocketError.ConnectionRefused,
        var text when text.Contains("timed out", StringComparison.OrdinalIgnoreCase) => SocketError.TimedOut,
        _ => SocketError.HostUnreachable,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        // What waits is told at once, and processes end with their streams.
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or SocketException)
        {
            // It is closed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            client.NoDelay = true;
            try
            {
                await LoggingIn.WaitAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            using var login = new Once(() => LoggingIn.Release());
            try
            {
                using var process = Process.Start(new ProcessStartInfo(_bastion.Program, _arguments)
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                })!;
                await JoinAsync(client.GetStream(), process, login);
            }
            catch (Win32Exception)
            {
                _failure = $"the program '{_bastion.Program}' is not on this machine: install OpenSSH's client";
            }
        }
    }

    private async Task JoinAsync(NetworkStream near, Process process, Once login)
    {
        try
        {
            var sent = SendAsync(near, process.StandardInput.BaseStream, _stop.Token);
            // A pipe is read by a thread that waits: not by one of the pool's.
            var received = Task.Factory.StartNew(() => Receive(process.StandardOutput.BaseStream, near, login), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            // Read all the time: a client that is made to say much would stand still once nobody listens.
            var said = Task.Factory.StartNew(() => LastError(process.StandardError), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            // A client that has ended takes no more, and its end is read in a moment, unless a child of its own holds the stream open.
            if (await Task.WhenAny(sent, received) == sent && await sent) await Task.WhenAny(received, Task.Delay(ErrorPatience, _stop.Token));
            if (received.IsCompleted && !await received && !_stop.IsCancellationRequested) _failure = await LastErrorAsync(said);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    // Returns whether it ends because the far end takes no more.
    private static async Task<bool> SendAsync(NetworkStream near, Stream far, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferSize];
        var isSending = false;
        try
        {
            while (await near.ReadAsync(buffer, cancellationToken) is var count and > 0)
            {
                isSending = true;
                await far.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                await far.FlushAsync(cancellationToken);
                isSending = false;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One end is gone, and the other with it.
        }

        return isSending;
    }

    private static bool Receive(Stream far, NetworkStream near, Once login)
    {
        var buffer = new byte[BufferSize];
        var any = false;
        try
        {
            while (far.Read(buffer) is var count and > 0)
            {
                login.Dispose();
                any = true;
                near.Write(buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // As above.
        }

        return any;
    }

    // The client's own children may hold the stream open: what it says after its end is waited for only so long.
    private static async Task<string> LastErrorAsync(Task<string> said)
    {
        try
        {
            return await said.WaitAsync(ErrorPatience);
        }
        catch (TimeoutException)
        {
            return Silent;
        }
    }

    // The last line, but for one that only repeats it.
    private static string LastError(StreamReader errors)
    {
        var (kept, buffer) = (new StringBuilder(), new char[1024]);
        try
        {
            while (errors.Read(buffer) is var count and > 0)
            {
                kept.Append(buffer, 0, count);
                if (kept.Length > ErrorLimit) kept.Remove(0, kept.Length - ErrorLimit);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // What was read until then.
        }

        return kept.ToString().Split('\n')
            .Select(line => string.Concat(line.Where(letter => !char.IsControl(letter))).Trim().TrimEnd('.'))
            .LastOrDefault(line => line.Length > 0 && !line.StartsWith("stdio forwarding failed", StringComparison.Ordinal)) ?? Silent;
    }

    /// <summary>Does something at the first call.</summary>
    private sealed class Once(Action action) : IDisposable
    {
        private Action? _action = action;

        public void Dispose() => Interlocked.Exchange(ref _action, null)?.Invoke();
    }
}

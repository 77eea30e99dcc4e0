using System.Net.Sockets;
using System.Text;
using Lab.Ec2Deployer.Planning;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Lab.Ec2Deployer.Remote;

/// <summary>How long the ways to a host may take.</summary>
/// <param name="Attempt">One attempt to connect, until the session is open.</param>
/// <param name="Patience">All attempts together, where nothing listens yet.</param>
internal sealed record ConnectTimes(TimeSpan Attempt, TimeSpan Patience)
{
    /// <summary>What suits the internet.</summary>
    public static readonly ConnectTimes Default = new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30));

    /// <summary>For a snapshot of hosts that have run for long: one that does not answer now is not waited for.</summary>
    public ConnectTimes ForSnapshot => this with { Patience = TimeSpan.Zero };
}

/// <summary>A connection to a host over SSH, on which several commands may run at once.</summary>
internal sealed class HostConnection : IDisposable
{
    private const int OutputLimit = 1 << 20;

    // SSH.NET holds a thread of the pool for each connection that it makes or forwards; the pool would add two a second.
    private const int MinThreads = 64;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private readonly SshClient _client;
    private readonly PrivateKeyFile _key;
    private readonly HostWay _way;

    private HostConnection(DeployedHost host, SshClient client, PrivateKeyFile key, HostWay way) => (Host, _client, _key, _way) = (host, client, key, way);

    /// <summary>Where it leads.</summary>
    public DeployedHost Host { get; }

    /// <summary>Connects, if the host shows the key that it should.</summary>
    /// <param name="host">The host.</param>
    /// <param name="keyFile">The private key that opens it.</param>
    /// <param name="keys">Judges the host's key.</param>
    /// <param name="times">How long it may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HostFailedException">There is no way in; the message says why.</exception>
    public static async Task<HostConnection> ConnectAsync(
        DeployedHost host, string keyFile, HostKeys keys, ConnectTimes times, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await TryConnectAsync(host, keyFile, keys, times, cancellationToken);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable)
            {
                // The machine or its SSH server may still be starting.
                if (time.GetElapsedTime(started) > times.Patience) throw await HostReach.ExplainAsync(host, e, null, times.Attempt, cancellationToken);
                await Task.Delay(RetryPause, time, cancellationToken);
            }
        }
    }

    private static async Task<HostConnection> TryConnectAsync(
        DeployedHost host, string keyFile, HostKeys keys, ConnectTimes times, CancellationToken cancellationToken)
    {
        PrivateKeyFile key;
        try
        {
            key = new PrivateKeyFile(keyFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SshException)
        {
            throw new HostFailedException(host.Name, $"the private key {keyFile} cannot be read: {e.Message}", "Put the deployment's key back in its place, or begin anew with destroy and publish.", inner: e);
        }

        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, MinThreads), Math.Max(completions, MinThreads));
        var way = HostWay.To(host, host.SshPort);
        var info = new ConnectionInfo(way.Address, way.Port, host.SshUser, new PrivateKeyAuthenticationMethod(host.SshUser, key)) { Timeout = times.Attempt };
        // The one kind of key whose fingerprint is pinned. Others would be asked for first and never match.
        foreach (var other in info.HostKeyAlgorithms.Keys.Where(name => name != "ssh-ed25519").ToList()) info.HostKeyAlgorithms.Remove(other);
        var client = new SshClient(info) { KeepAliveInterval = KeepAlive };
        string? refusal = null;
        client.HostKeyReceived += (_, shown) =>
        {
            // SSH.NET trusts unless told not to.
            refusal = keys.Refusal(host, shown.HostKeyName, shown.HostKey);
            shown.CanTrust = refusal is null;
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(times.Attempt);
        try
        {
            await client.ConnectAsync(limit.Token);
            return new(host, client, key, way);
        }
        catch (Exception e)
        {
            client.Dispose();
            key.Dispose();
            var (bastion, behind) = (way.BastionFailure, way.BehindBastion);
            way.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw e switch
            {
                _ when refusal is not null => new HostFailedException(host.Name, $"the host at {Address(host)} was refused: {refusal}. Either somebody stands between you and it, or the machine was made anew",
                    "Compare the key with the machine's console; if it is right, run the command again with --accept-new-host-key.", inner: e),
                _ when behind is { SocketErrorCode: not SocketError.TimedOut } => behind,
                SocketException { SocketErrorCode: not SocketError.TimedOut } => e,
                SshAuthenticationException => new HostFailedException(host.Name, $"{Address(host)} does not accept the key for user {host.SshUser}",
                    "Check the private key and the option --ssh-user.", inner: e),
                _ => await HostReach.ExplainAsync(host, behind ?? e, bastion, times.Attempt, cancellationToken),
            };
        }
    }

    /// <summary>Runs a command to its end.</summary>
    /// <exception cref="HostFailedException">The connection broke, or the command's time was over.</exception>
    public async Task<CommandResult> TryAsync(HostCommand command, CancellationToken cancellationToken)
    {
        try
        {
            return await RunOnceAsync(command, WriteInput(command), cancellationToken);
        }
        catch (SshConnectionException) when (command.IsRepeatable)
        {
            await ReconnectAsync(command, cancellationToken);
            return await RunOnceAsync(command, WriteInput(command), cancellationToken);
        }
    }

    /// <summary>Runs a command that must succeed.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="HostFailedException">It did not.</exception>
    public async Task<string> RunAsync(HostCommand command, CancellationToken cancellationToken)
    {
        var result = await TryAsync(command, cancellationToken);
        return result.ExitCode == 0 ? result.Output : throw Failed(command, result);
    }

    /// <summary>The failure of a command that ended with something else than 0.</summary>
    public HostFailedException Failed(HostCommand command, CommandResult result)
    {
        var log = result.Error.Length > 0 ? result.Error : result.Output;
        var last = log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "no message";
        return new(Host.Name, $"{command.Title} failed with exit code {result.ExitCode}: {last.TrimEnd('.')}",
            "Mend that and run the command again; it goes on where it stopped.", log);
    }

    /// <summary>Runs a command that reads a stream from standard input.</summary>
    /// <param name="command">The command.</param>
    /// <param name="content">What it reads.</param>
    /// <param name="sent">Told of the bytes of each piece.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <exception cref="HostFailedException">The connection broke, or the command's time was over.</exception>
    public Task<CommandResult> SendAsync(HostCommand command, Stream content, Action<int> sent, CancellationToken cancellationToken) =>
        RunOnceAsync(command, (running, cancellationToken) => running.WriteAsync(content, sent, cancellationToken), cancellationToken);

    /// <summary>Starts a command that goes on until the returned handle is disposed, which closes its standard input.</summary>
    /// <exception cref="HostFailedException">It cannot be started.</exception>
    public async Task<RunningCommand> StartAsync(HostCommand command, CancellationToken cancellationToken)
    {
        try
        {
            return await RunningCommand.StartAsync(_client, command, cancellationToken);
        }
        catch (Exception e) when (e is SshException or ObjectDisposedException or SocketException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Lost(command, e);
        }
    }

    /// <inheritdoc cref="HostTunnel.Open"/>
    public HostTunnel OpenTunnel(int localPort, int remotePort) => HostTunnel.Open(_client, localPort, remotePort);

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _key.Dispose();
        _way.Dispose();
    }

    private static Func<RunningCommand, CancellationToken, Task> WriteInput(HostCommand command) => (running, cancellationToken) =>
        command.Input is { } input ? running.WriteAsync(Encoding.UTF8.GetBytes(input), cancellationToken) : Task.CompletedTask;

    private async Task<CommandResult> RunOnceAsync(
        HostCommand command, Func<RunningCommand, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(command.Timeout);
        try
        {
            using var running = await RunningCommand.StartAsync(_client, command, limit.Token);
            await write(running, limit.Token);
            running.CloseInput();
            return await running.WaitAsync(OutputLimit, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HostFailedException(Host.Name, $"{command.Title} did not end within {command.Timeout.TotalSeconds:0} s", $"Look at the host with ssh; if it hangs, reboot it and run the command again, or publish --replace {Host.Name}, which puts another in its place.");
        }
        catch (SshConnectionException) when (command.IsRepeatable && _client.IsConnected is false)
        {
            throw;
        }
        catch (Exception e) when (e is SshException or ObjectDisposedException or SocketException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Lost(command, e);
        }
    }

    private async Task ReconnectAsync(HostCommand command, CancellationToken cancellationToken)
    {
        try
        {
            await _client.ConnectAsync(cancellationToken);
        }
        catch (Exception e) when (e is SshException or ObjectDisposedException or SocketException or InvalidOperationException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Lost(command, e);
        }
    }

    private HostFailedException Lost(HostCommand command, Exception e) =>
        new(Host.Name, $"the connection broke while {command.Title}: {e.Message.TrimEnd('.')}", "Check that the machine runs, and run the command again; it goes on where it stopped.", inner: e);

    private static string Address(DeployedHost host) => $"{host.SshAddress}:{host.SshPort}";
}

using System.Net.Sockets;
using Lab.Ec2Deployer.Planning;
using Renci.SshNet.Common;

namespace Lab.Ec2Deployer.Remote;

/// <summary>Tells why there is no SSH session with a host: which of the network, the machine and its SSH server does not answer.</summary>
internal static class HostReach
{
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(3);

    /// <summary>The failure, with its likely cause and what to look at.</summary>
    /// <param name="host">The host.</param>
    /// <param name="failure">What the attempt came to.</param>
    /// <param name="bastion">Why the bastion gave no way, or null.</param>
    /// <param name="attempt">How long it took at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<HostFailedException> ExplainAsync(DeployedHost host, Exception failure, string? bastion, TimeSpan attempt, CancellationToken cancellationToken)
    {
        var address = $"{host.SshAddress}:{host.SshPort}{(host.Bastion is null ? "" : $" (through {host.Bastion})")}";
        var replace = $"if it is lost, publish --replace {host.Name} puts another in its place.";
        if (bastion is not null)
        {
            return new(host.Name, $"the bastion {host.Bastion} gives no way to {host.SshAddress}:{host.SshPort}: {bastion}",
                $"'{host.Bastion!.Program} -o BatchMode=yes -W {host.SshAddress}:{host.SshPort} …' must reach it without a question: its host key in ~/.ssh/known_hosts, your key there without a passphrase or in ssh-agent, forwarding allowed.", inner: failure);
        }

        if (failure is SocketException { SocketErrorCode: SocketError.ConnectionRefused }) return Refused();
        if (failure is SocketException { SocketErrorCode: SocketError.HostUnreachable or SocketError.NetworkUnreachable } socket)
        {
            return new(host.Name, $"no way leads to {address} from here ({socket.Message.TrimEnd('.')})",
                $"Check this machine's network{(IsPrivate(host) ? "; the hosts have private addresses alone, which only the inside of the VPC, a VPN or a --bastion reaches" : "")}, and run the command again; {replace}", inner: failure);
        }

        if (failure is not (SshOperationTimeoutException or OperationCanceledException or SocketException { SocketErrorCode: SocketError.TimedOut }))
            return new(host.Name, $"no SSH session with {address}: {failure.Message.TrimEnd('.')}", $"Check that the machine runs, and run the command again; {replace}", inner: failure);

        if (host.Bastion is { } through)
        {
            return new(host.Name, $"{address} does not answer within {attempt.TotalSeconds:0} s: {through} is slow, the machine is off, or a security group drops what comes from there",
                $"SSH is open to --ssh-from, which must have the address by which {through} reaches the hosts. 'status' shows whether the machine runs; {replace}", inner: failure);
        }

        // Only a connection that nobody accepts tells a closed door from a machine that hangs behind an open one.
        var probed = await ConnectAsync(host, attempt < Probe ? attempt : Probe, cancellationToken);
        if (probed is SocketError.ConnectionRefused) return Refused();
        return probed is SocketError.Success
            ? new(host.Name, $"{address} takes connections, but its SSH server says nothing for {attempt.TotalSeconds:0} s: the machine hangs or is overloaded",
                $"Reboot it in the EC2 console and run the command again; {replace}", inner: failure)
            : new(host.Name, $"{address} does not answer at all: a security group or a firewall on the way drops SSH, or the machine is off",
                IsPrivate(host)
                    ? $"The hosts have private addresses alone: run the command inside the VPC, over a VPN or with --bastion. 'status' shows whether the machine runs; {replace}"
                    : $"SSH is open to --ssh-from, or else to the address that last ran 'publish': if yours has changed since, 'publish' opens SSH to the new one. 'status' shows whether the machine runs; {replace}",
                inner: failure)
            { IsUnanswered = true };

        HostFailedException Refused() => new(host.Name, $"{address} refuses connections: the machine runs, its SSH server does not, or not yet, or it listens at another port than --ssh-port",
            $"Wait a minute and run the command again; {replace}", inner: failure);
    }

    private static async Task<SocketError> ConnectAsync(DeployedHost host, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(host.SshAddress, host.SshPort, limit.Token);
            return SocketError.Success;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return (e as SocketException)?.SocketErrorCode ?? SocketError.TimedOut;
        }
    }

    private static bool IsPrivate(DeployedHost host) => host.SshAddress == host.PrivateAddress;
}

using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>ssh</c>: a shell, or one command, on a host; by the system's <c>ssh</c>, with the host key that was pinned.</summary>
internal static class SshCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly Argument<string> Host = new("host") { Description = "orchestrator, host-1, …" };
    private static readonly Argument<string[]> Words = new("command") { Description = "What to run there [default: a shell]", Arity = ArgumentArity.ZeroOrMore };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("ssh", "A shell, or one command, on a host.") { Host, Words };
        return command.WithWay().Does(environment, RunAsync).Refuses("its output is the host's own. What is meant for the host stands behind --.", Settings.Json);
    }

    /// <summary>The arguments of the system's <c>ssh</c>: no secret is among them, and no host key but that one is accepted.</summary>
    public static IReadOnlyList<string> Arguments(DeployedHost host, string privateKeyFile, string knownHostsFile, IEnumerable<string> words) =>
    [
        "-o", $"IdentityFile={File(privateKeyFile)}", "-o", "IdentitiesOnly=yes", "-o", $"UserKnownHostsFile={File(knownHostsFile)}", "-o", "GlobalKnownHostsFile=/dev/null",
        "-o", "StrictHostKeyChecking=yes", "-o", "HostKeyAlgorithms=ssh-ed25519", "-o", "UpdateHostKeys=no", "-o", "ConnectTimeout=20",
        .. host.Bastion is { } bastion ? ["-J", bastion.ToString()] : (string[])[], "-p", host.SshPort.ToString(CultureInfo.InvariantCulture), $"{host.SshUser}@{host.SshAddress}", .. words,
    ];

    // As ssh_config(5) reads file names: a space would end one, and a percent sign begins a word to be replaced.
    private static string File(string path) => $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal)}\"";

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var found = await context.FindAsync(cancellationToken);
        var name = parse.GetValue(Host)!;
        var host = found.Hosts.FirstOrDefault(host => host.Name == name) ?? throw new DeploymentException(ExitCode.Usage,
            $"There is no running host '{name}'. There are {string.Join(", ", found.Hosts.Select(host => host.Name))}.");
        var key = await HostKeyAsync(host, cancellationToken);
        var known = Path.Combine(context.Directory.Path, $"known_host.{host.Name}");
        var address = host.SshPort == 22 ? host.SshAddress : $"[{host.SshAddress}]:{host.SshPort}";
        context.Directory.WriteSecret(known, $"{address} ssh-ed25519 {Convert.ToBase64String(key)}\n");
        try
        {
            var arguments = Arguments(host, context.Directory.PrivateKeyFile, known, parse.GetValue(Words) ?? []);
            return await ChildProgram.RunAsync(context, new ProcessStartInfo("ssh", arguments), cancellationToken);
        }
        catch (Win32Exception)
        {
            throw new DeploymentException(ExitCode.Failed, $"The program 'ssh' is not on this machine. Install OpenSSH's client; the host is {host.SshUser}@{host.SshAddress}, the key {context.Directory.PrivateKeyFile}.");
        }
    }

    // The console shows a fingerprint, and ssh wants the key itself: what the host shows must have that fingerprint.
    private static async Task<byte[]> HostKeyAsync(DeployedHost host, CancellationToken cancellationToken)
    {
        byte[]? key = null;
        string? print = null;
        using var way = HostWay.To(host, host.SshPort);
        using var client = new SshClient(new ConnectionInfo(way.Address, way.Port, host.SshUser, new NoneAuthenticationMethod(host.SshUser)) { Timeout = Patience });
        foreach (var algorithm in client.ConnectionInfo.HostKeyAlgorithms.Keys.Where(algorithm => algorithm != "ssh-ed25519").ToList())
            client.ConnectionInfo.HostKeyAlgorithms.Remove(algorithm);
        client.HostKeyReceived += (_, e) =>
        {
            (key, print) = (e.HostKey, $"SHA256:{e.FingerPrintSHA256}");
            e.CanTrust = false;
        };
        try
        {
            await client.ConnectAsync(cancellationToken);
        }
        catch (Exception e) when (key is null && e is SshException or System.Net.Sockets.SocketException)
        {
            var told = await HostReach.ExplainAsync(host, way.BehindBastion ?? e, way.BastionFailure, Patience, cancellationToken);
            throw new DeploymentException(ExitCode.HostFailed, $"{told.Message} {told.Remedy}", told);
        }
        catch (SshException)
        {
            // The connection is refused here on purpose: only the key was wanted.
        }

        if (host.HostKey is { } pinned && pinned != print)
        {
            throw new DeploymentException(ExitCode.HostFailed,
                $"{host.Name} ({host.SshAddress}) shows the host key {print}, but its console showed {pinned}: it may be another machine that answers. Nothing was sent to it. If you know why, add --accept-new-host-key.");
        }

        return key!;
    }
}

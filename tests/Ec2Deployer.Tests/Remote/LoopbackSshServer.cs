using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Remote;

/// <summary>OpenSSH's server on this machine's loopback, for the user who runs the tests.</summary>
internal sealed class LoopbackSshServer : IDisposable
{
    private const string Program = "/usr/sbin/sshd";
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-sshd-").FullName;
    private readonly Process _process;

    private LoopbackSshServer(int port)
    {
        foreach (var key in (string[])["key", "host"])
        {
            using var generator = Process.Start("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(_directory, key)]);
            generator.WaitForExit();
        }

        // Where it runs as root it wants an empty directory of its own.
        if (Environment.IsPrivilegedProcess) Directory.CreateDirectory("/run/sshd");
        _process = Process.Start(new ProcessStartInfo(Program,
        [
            "-D", "-e", "-f", "/dev/null", "-p", port.ToString(CultureInfo.InvariantCulture), "-o", "ListenAddress=127.0.0.1", "-o", $"HostKey={_directory}/host",
            "-o", $"AuthorizedKeysFile={_directory}/key.pub", "-o", "StrictModes=no", "-o", "UsePAM=no", "-o", "PidFile=none",
        ]) { RedirectStandardError = true })!;
        _process.BeginErrorReadLine();
        Host = new("orchestrator", HostRole.Orchestrator, true, "i-1", "127.0.0.1", "127.0.0.1", port, Environment.UserName, null);
    }

    /// <summary>The server as a host.</summary>
    public DeployedHost Host { get; }

    /// <summary>Starts it, or skips the test where there is none.</summary>
    public static async Task<LoopbackSshServer> StartAsync()
    {
        Assert.SkipUnless(File.Exists(Program), $"this test needs {Program} (Debian: openssh-server)");
        var server = new LoopbackSshServer(FreePorts.Take());
        await Eventually.TrueAsync(() => Answers(server.Host.SshPort), "the SSH server answers");
        return server;
    }

    /// <summary>A connection to it.</summary>
    public Task<HostConnection> ConnectAsync() => HostConnection.ConnectAsync(
        Host, Path.Combine(_directory, "key"), new HostKeys(Path.Combine(_directory, "known_hosts"), acceptNew: true, _ => { }), ConnectTimes.Default, TimeProvider.System, TestContext.Current.CancellationToken);

    /// <summary>Ends it and all its sessions, as a machine whose power fails.</summary>
    public void Kill()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static bool Answers(int port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

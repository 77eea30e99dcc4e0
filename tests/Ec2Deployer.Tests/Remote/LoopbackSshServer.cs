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
    private static readonly ConnectTimes Times = ConnectTimes.Default with { Patience = TimeSpan.FromSeconds(1) };
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-sshd-").FullName;
    private readonly Process _process;

    private LoopbackSshServer(string[] options)
    {
        foreach (var key in (string[])["key", "host"])
        {
            using var generator = Process.Start("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(_directory, key)]);
            generator.WaitForExit();
        }

        // Where it runs as root it wants an empty directory of its own.
        if (Environment.IsPrivilegedProcess) Directory.CreateDirectory("/run/sshd");
        // Taken as late as may be: nobody keeps it until it is bound.
        var port = FreePorts.Take();
        _process = Process.Start(new ProcessStartInfo(Program,
        [
            "-D", "-e", "-f", "/dev/null", "-p", port.ToString(CultureInfo.InvariantCulture), "-o", "ListenAddress=127.0.0.1", "-o", $"HostKey={_directory}/host",
            "-o", $"AuthorizedKeysFile={_directory}/key.pub", "-o", "StrictModes=no", "-o", "UsePAM=no", "-o", "PidFile=none",
            .. options.SelectMany(option => (string[])["-o", option]),
        ])
        { RedirectStandardError = true })!;
        _process.BeginErrorReadLine();
        Host = new("orchestrator", HostRole.Orchestrator, true, "i-1", "127.0.0.1", "127.0.0.1", port, Environment.UserName, null);
    }

    /// <summary>The server as a host.</summary>
    public DeployedHost Host { get; }

    /// <summary>The private key that opens it.</summary>
    public string KeyFile => Path.Combine(_directory, "key");

    /// <summary>Starts it, or skips the test where there is none.</summary>
    /// <param name="options">Lines of its configuration.</param>
    public static async Task<LoopbackSshServer> StartAsync(params string[] options)
    {
        Assert.SkipUnless(File.Exists(Program), $"this test needs {Program} (Debian: openssh-server)");
        var server = new LoopbackSshServer(options);
        await Eventually.TrueAsync(() => Answers(server.Host.SshPort), "the SSH server answers");
        return server;
    }

    /// <summary>The arguments of each call of the client that <see cref="AsBastion"/> made.</summary>
    public IReadOnlyList<string> Calls => File.Exists(Path.Combine(_directory, "calls")) ? File.ReadAllLines(Path.Combine(_directory, "calls")) : [];

    /// <summary>The server as a bastion, for a client whose user has the key and knows the server's.</summary>
    /// <param name="isKnown">Whether the user knows the server's key.</param>
    /// <param name="user">The user, or null: whoever runs the tests.</param>
    public Bastion AsBastion(bool isKnown = true, string? user = null)
    {
        var known = Path.Combine(_directory, isKnown ? "known" : "unknown");
        var words = File.ReadAllText(Path.Combine(_directory, "host.pub")).Split(' ');
        File.WriteAllText(known, isKnown ? $"[127.0.0.1]:{Host.SshPort} {words[0]} {words[1]}\n" : "");
        var program = Path.Combine(_directory, "ssh");
        File.WriteAllText(program, $"#!/bin/sh\necho \"$*\" >> {_directory}/calls\nexec /usr/bin/ssh -F none -i {_directory}/key -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return new(user ?? Host.SshUser, "127.0.0.1", Host.SshPort) { Program = program };
    }

    /// <summary>A connection to it.</summary>
    /// <param name="bastion">Through what, or null.</param>
    public Task<HostConnection> ConnectAsync(Bastion? bastion = null) => ConnectAsync(Host with { Bastion = bastion });

    /// <summary>A connection with its key.</summary>
    /// <param name="host">Where to.</param>
    public Task<HostConnection> ConnectAsync(DeployedHost host) => HostConnection.ConnectAsync(
        host, KeyFile, new HostKeys(Path.Combine(_directory, "known_hosts"), acceptNew: true, _ => { }), Times, TimeProvider.System, TestContext.Current.CancellationToken);

    /// <summary>Ends it and all its sessions, as a machine whose power fails.</summary>
    public void Kill()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
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

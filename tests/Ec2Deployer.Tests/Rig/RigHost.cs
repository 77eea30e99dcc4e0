using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>A host of the rig: a namespace with this machine's files, copied on write, its own SSH server and its own Docker.</summary>
internal sealed class RigHost : IAsyncDisposable
{
    public const string User = "ubuntu";
    private const int SshPort = 22;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static int _count;

    private readonly Process _process;
    private readonly string _own;
    private bool _isEnded;

    private RigHost(Process process, string own, DeployedHost host) => (_process, _own, Host) = (process, own, host);

    /// <summary>The host as the deployer knows it.</summary>
    public DeployedHost Host { get; }

    /// <summary>The host's whole file system, seen from outside.</summary>
    public string Root => Path.Combine("/proc", File.ReadAllText(Path.Combine(_own, "init.pid")).Trim(), "root");

    /// <summary>Starts a host and waits until its SSH server answers.</summary>
    /// <param name="name">The host's name.</param>
    /// <param name="number">The last part of its address.</param>
    /// <param name="manager">Whether it is to be a manager.</param>
    /// <param name="directory">Below it the host has its own directory.</param>
    /// <param name="publicKey">The key that opens it.</param>
    /// <param name="docker">Whether it has Docker.</param>
    public static async Task<RigHost> StartAsync(string name, int number, bool manager, string directory, string publicKey, bool docker = true)
    {
        var own = Path.Combine(directory, $"{name}-{Interlocked.Increment(ref _count)}");
        Directory.CreateDirectory(own);
        await File.WriteAllTextAsync(Path.Combine(own, "authorized_keys"), publicKey);
        await File.WriteAllTextAsync(Path.Combine(own, "daemon.json"), CloudInit.DockerConfiguration);
        await File.WriteAllLinesAsync(Path.Combine(own, "sysctl.conf"), CloudInit.KernelSettings);
        return await BootAsync(name, $"10.77.0.{number}", manager, own, docker);
    }

    /// <summary>Switches the host off as if its power failed; its disk stays for <see cref="StartAgainAsync"/>.</summary>
    public async Task StopAsync()
    {
        await File.WriteAllTextAsync(Keep, "");
        await DisposeAsync();
    }

    /// <summary>Starts a host that was stopped.</summary>
    /// <returns>The host, which takes this one's place.</returns>
    public Task<RigHost> StartAgainAsync()
    {
        File.Delete(Keep);
        return BootAsync(Host.Name, Host.PrivateAddress, Host.Manager, _own, docker: true);
    }

    private string Keep => Path.Combine(_own, "keep");

    private static async Task<RigHost> BootAsync(string name, string address, bool manager, string own, bool docker)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "Rig", "host.sh");
        var process = Process.Start(new ProcessStartInfo("bash", [script, name, own, address, User, $"{SshPort}", docker ? "docker" : "none"]) { RedirectStandardInput = true })!;
        var key = Path.Combine(own, "upper", "etc", "ssh", "ssh_host_ed25519_key.pub");
        var started = Stopwatch.StartNew();
        while (!File.Exists(key) || !await AnswersAsync(address))
        {
            if (!process.HasExited && started.Elapsed < Patience)
            {
                await Task.Delay(50);
                continue;
            }

            var console = Path.Combine(own, "console.log");
            var failure = $"{name} does not start, key {(File.Exists(key) ? "made" : "not made")}: {(File.Exists(console) ? await File.ReadAllTextAsync(console) : "no log")}";
            process.StandardInput.Close();
            using var limit = new CancellationTokenSource(Patience);
            await process.WaitForExitAsync(limit.Token);
            process.Dispose();
            throw new InvalidOperationException(failure);
        }

        var shown = Convert.FromBase64String((await File.ReadAllTextAsync(key)).Split(' ')[1]);
        var fingerprint = $"SHA256:{Convert.ToBase64String(SHA256.HashData(shown)).TrimEnd('=')}";
        var role = name.StartsWith("host-", StringComparison.Ordinal) ? HostRole.Worker : HostRole.Orchestrator;
        return new(process, own, new DeployedHost(name, role, manager, $"i-{Path.GetFileName(own)}", address, address, SshPort, User, fingerprint));
    }

    /// <summary>Runs a command as root on the host, as its owner would at its console.</summary>
    public async Task<string> RunAsync(string command)
    {
        var init = (await File.ReadAllTextAsync(Path.Combine(_own, "init.pid"))).Trim();
        using var process = Process.Start(new ProcessStartInfo("nsenter", ["--all", "--target", init, "--root", "--wd=/", "sh", "-c", command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{Host.Name}: {command} ended with {process.ExitCode}: {await error}");
    }

    /// <summary>Gives the host another address beside its own; whoever knew it as another host's learns that anew.</summary>
    public async Task TakeAddressAsync(string address)
    {
        await RunAsync($"ip address replace {address}/24 dev eth0");
        using var flush = Process.Start("ip", ["neigh", "flush", "dev", "lab0", "to", address]);
        await flush.WaitForExitAsync();
    }

    /// <summary>Takes such an address off the host.</summary>
    public async Task LoseAddressAsync(string address) => await RunAsync($"ip address del {address}/24 dev eth0 || true");

    /// <summary>Stops every process of the host where it stands: the kernel still takes connections, and nobody answers.</summary>
    public Task HangAsync() => SignalInitAsync("STOP");

    /// <summary>Ends the host at once, as a machine whose power fails.</summary>
    public async ValueTask DisposeAsync()
    {
        // A test may end it before it goes itself.
        if (_isEnded) return;
        _isEnded = true;
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            using var limit = new CancellationTokenSource(Patience);
            await _process.WaitForExitAsync(limit.Token);
        }

        _process.Dispose();
    }

    private async Task SignalInitAsync(string signal)
    {
        var init = (await File.ReadAllTextAsync(Path.Combine(_own, "init.pid"))).Trim();
        using var process = Process.Start("kill", [$"-{signal}", init]);
        await process.WaitForExitAsync();
    }

    private static async Task<bool> AnswersAsync(string address)
    {
        try
        {
            using var client = new TcpClient();
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await client.ConnectAsync(address, SshPort, limit.Token);
            return await client.GetStream().ReadAsync(new byte[4], limit.Token) > 0;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException)
        {
            return false;
        }
    }
}

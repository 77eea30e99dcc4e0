using System.Net;
using System.Net.Sockets;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Tests.Remote;

/// <summary>Ports on loopback that behave as those of hosts that cannot be reached.</summary>
public sealed class HostReachTests : IDisposable
{
    private readonly DeploymentDirectory _directory = new(Directory.CreateTempSubdirectory("lab-reach-").FullName, "lab");
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public HostReachTests()
    {
        DeploymentKey.Ensure(_directory);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(Path.GetDirectoryName(_directory.Path)!, recursive: true);
    }

    [Fact]
    public async Task ConnectAsync_PacketsAreDropped_NamesTheFirewallAndTheAddressThatMayHaveChanged()
    {
        using var only = await FillQueueAsync();

        var failure = await FailsAsync();

        Assert.Contains("does not answer at all: a security group or a firewall", failure.What, StringComparison.Ordinal);
        Assert.Contains("--ssh-from", failure.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("hangs", failure.What, StringComparison.Ordinal);
        Assert.True(failure.IsUnanswered);
    }

    [Fact]
    public async Task ConnectAsync_NobodySpeaks_SaysThatTheMachineHangs()
    {
        _listener.Listen(10);

        var failure = await FailsAsync();

        Assert.Contains("takes connections, but its SSH server says nothing for 1 s: the machine hangs", failure.What, StringComparison.Ordinal);
        Assert.DoesNotContain("--ssh-from", failure.Remedy, StringComparison.Ordinal);
        Assert.False(failure.IsUnanswered);
    }

    [Fact]
    public async Task ConnectAsync_NothingListens_SaysThatTheServerIsNotUp()
    {
        var failure = await FailsAsync();

        Assert.Contains("refuses connections: the machine runs, its SSH server does not", failure.What, StringComparison.Ordinal);
        Assert.False(failure.IsUnanswered);
    }

    [Fact]
    public async Task ExplainAsync_PrivateAddresses_SpeakOfTheVpcAndOfNoRule()
    {
        using var only = await FillQueueAsync();

        var failure = await HostReach.ExplainAsync(Host with { PrivateAddress = Host.SshAddress }, new OperationCanceledException(), null, TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);

        Assert.Contains("inside the VPC, over a VPN or with --bastion", failure.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("--ssh-from", failure.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExplainAsync_TooLateButRefused_SaysThatTheServerIsNotUp()
    {
        var failure = await HostReach.ExplainAsync(Host, new OperationCanceledException(), null, TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        Assert.Contains("refuses connections", failure.What, StringComparison.Ordinal);
        Assert.False(failure.IsUnanswered);
    }

    private async Task<TcpClient> FillQueueAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux drops what comes to a full queue.");
        _listener.Listen(0);
        var only = new TcpClient();
        await only.ConnectAsync(Host.SshAddress, Host.SshPort, TestContext.Current.CancellationToken);
        return only;
    }

    private DeployedHost Host => new("host-1", HostRole.Worker, true, "i-1", "127.0.0.1", "10.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port, "admin", null);

    private Task<HostFailedException> FailsAsync() => Assert.ThrowsAsync<HostFailedException>(() => HostConnection.ConnectAsync(
        Host, _directory.PrivateKeyFile, new HostKeys(Path.Combine(_directory.Path, "known_hosts"), acceptNew: false, _ => { }),
        new ConnectTimes(TimeSpan.FromSeconds(1), TimeSpan.Zero), TimeProvider.System, TestContext.Current.CancellationToken));
}

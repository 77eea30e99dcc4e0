using System.Net;
using System.Net.Sockets;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Tests.Fleet;

namespace Lab.Ec2Deployer.Tests.Remote;

/// <summary>Hosts behind a bastion: two real SSH servers on loopback, and OpenSSH's client.</summary>
public sealed class BastionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ana@bastion.example.org:2222", "ana", "bastion.example.org", 2222)]
    [InlineData("10.0.0.5", null, "10.0.0.5", null)]
    [InlineData("_jump", null, "_jump", null)]
    public void Parse_UserHostAndPort_AreRead(string text, string? user, string server, int? port)
    {
        var bastion = Bastion.Parse(text);

        Assert.Equal((user, server, port, text), (bastion.User, bastion.Server, bastion.Port, bastion.ToString()));
    }

    [Theory]
    [InlineData("-oProxyCommand=reboot")]
    [InlineData("ana@-oProxyCommand=reboot")]
    [InlineData("-l@host")]
    [InlineData("ana@host;reboot")]
    [InlineData("ana@host:0")]
    [InlineData("ana@host:65536")]
    [InlineData("ana@host:")]
    [InlineData("ana@")]
    [InlineData("ana@host\n")]
    [InlineData("ana host")]
    public void Parse_SomethingElse_Throws(string text) => Assert.Throws<FormatException>(() => Bastion.Parse(text));

    [Fact]
    public async Task Connect_ThroughIt_RunsCommandsAndEndsWithIt()
    {
        using var bastion = await LoopbackSshServer.StartAsync();
        using var host = await LoopbackSshServer.StartAsync();
        using var connection = await host.ConnectAsync(bastion.AsBastion());
        var content = new string('x', 3 << 20);

        var result = await connection.TryAsync(new HostCommand("counting", "wc -c") { Input = content }, Token);
        Assert.Equal((0, content.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)), (result.ExitCode, result.Output.Trim()));

        bastion.Kill();
        await Assert.ThrowsAsync<HostFailedException>(() => connection.TryAsync(new HostCommand("asking", "true") { Timeout = Patience }, Token));
    }

    [Fact]
    public async Task Connect_ManyAtOnce_AllPass()
    {
        using var bastion = await LoopbackSshServer.StartAsync("MaxStartups=5:100:5");
        using var host = await LoopbackSshServer.StartAsync("MaxStartups=100");
        var through = bastion.AsBastion();

        var connections = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => host.ConnectAsync(through)));

        foreach (var connection in connections) connection.Dispose();
    }

    [Fact]
    public async Task Connect_ItsKeyIsUnknown_SaysSoAndHowToKnowIt()
    {
        using var bastion = await LoopbackSshServer.StartAsync();
        using var host = await LoopbackSshServer.StartAsync();

        var failure = await Assert.ThrowsAsync<HostFailedException>(() => host.ConnectAsync(bastion.AsBastion(isKnown: false)));

        Assert.Contains($"the bastion {bastion.Host.SshUser}@127.0.0.1:{bastion.Host.SshPort} gives no way to 127.0.0.1:{host.Host.SshPort}: Host key verification failed", failure.What, StringComparison.Ordinal);
        Assert.Contains("known_hosts", failure.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_ItLetsTheUserNotIn_SaysSo()
    {
        using var bastion = await LoopbackSshServer.StartAsync();
        using var host = await LoopbackSshServer.StartAsync();

        var failure = await Assert.ThrowsAsync<HostFailedException>(() => host.ConnectAsync(bastion.AsBastion(user: "nobody-here")));

        Assert.Contains("Permission denied", failure.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_ItForbidsForwarding_SaysSo()
    {
        using var bastion = await LoopbackSshServer.StartAsync("AllowTcpForwarding=no");
        using var host = await LoopbackSshServer.StartAsync();

        var failure = await Assert.ThrowsAsync<HostFailedException>(() => host.ConnectAsync(bastion.AsBastion()));

        Assert.Contains("administratively prohibited", failure.What, StringComparison.Ordinal);
        Assert.Contains("forwarding allowed", failure.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_HostBehindItRefuses_IsTheHostsFailure()
    {
        using var bastion = await LoopbackSshServer.StartAsync();
        using var host = await LoopbackSshServer.StartAsync();
        host.Kill();

        var failure = await Assert.ThrowsAsync<HostFailedException>(() => host.ConnectAsync(bastion.AsBastion()));

        Assert.Contains($"127.0.0.1:{host.Host.SshPort} (through {bastion.Host.SshUser}@127.0.0.1:{bastion.Host.SshPort}) refuses connections", failure.What, StringComparison.Ordinal);
        Assert.True(failure.IsSilence);
    }

    [Fact]
    public async Task Connect_BastionIsGone_SaysThatItRefuses()
    {
        using var bastion = await LoopbackSshServer.StartAsync();
        using var host = await LoopbackSshServer.StartAsync();
        var through = bastion.AsBastion();
        bastion.Kill();

        var failure = await Assert.ThrowsAsync<HostFailedException>(() => host.ConnectAsync(through));

        Assert.Contains("gives no way", failure.What, StringComparison.Ordinal);
        Assert.Contains("Connection refused", failure.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_NoClientOnThisMachine_SaysSo()
    {
        using var host = await LoopbackSshServer.StartAsync();

        var failure = await Assert.ThrowsAsync<HostFailedException>(() => host.ConnectAsync(new Bastion(null, "bastion", null) { Program = "/no/such/ssh" }));

        Assert.Contains("install OpenSSH's client", failure.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_HostBehindItShowsAnotherKey_IsRefused()
    {
        using var bastion = await LoopbackSshServer.StartAsync();
        using var host = await LoopbackSshServer.StartAsync();
        var directory = Directory.CreateTempSubdirectory("lab-bastion-").FullName;
        try
        {
            var keys = new HostKeys(Path.Combine(directory, "known_hosts"), acceptNew: false, _ => { });

            var failure = await Assert.ThrowsAsync<HostFailedException>(() => HostConnection.ConnectAsync(
                host.Host with { Bastion = bastion.AsBastion(), HostKey = "SHA256:another" }, host.KeyFile, keys, ConnectTimes.Default, TimeProvider.System, Token));

            Assert.Contains("was refused: it shows the SSH key", failure.What, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task OutsideRequest_ThroughIt_Arrives()
    {
        using var bastion = await LoopbackSshServer.StartAsync();
        await using var server = await TlsServer.StartAsync("orchestrator");
        using var way = HostWay.To(bastion.Host with { Bastion = bastion.AsBastion() }, server.Address.Port);
        var progress = new RecordedProgress();

        // An address that nobody has: what arrives, arrives through the bastion.
        await OutsideRequest.RunAsync(way, "192.0.2.1", [server.Pem], progress, Token);

        Assert.Equal(["GET /health"], server.Requests);
        Assert.Empty(progress.Lines);
    }

    [Fact]
    public async Task Port_Closed_TakesNoConnection()
    {
        using var bastion = await LoopbackSshServer.StartAsync();
        var port = new BastionPort(bastion.AsBastion(), "127.0.0.1", bastion.Host.SshPort);
        var where = port.EndPoint;
        port.Dispose();

        using var client = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(IPAddress.Loopback, where.Port, Token).AsTask());
    }

    [Fact]
    public void SshArguments_ThroughIt_JumpsAndGivesItNoKeyOfTheDeployment()
    {
        var host = new DeployedHost("host-1", HostRole.Worker, false, "i-1", "10.0.0.7", "10.0.0.7", 22, "admin", null) { Bastion = new("ana", "bastion", 2222) };

        var arguments = SshCommand.Arguments(host, "/k", "/h", ["uptime"]);

        var jump = arguments.ToList().IndexOf("-J");
        Assert.Equal("ana@bastion:2222", arguments[jump + 1]);
        Assert.Equal(["admin@10.0.0.7", "uptime"], arguments.TakeLast(2));
    }
}

using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>What is wrong with a host is told in one paragraph: what, where, what is left running, what to do.</summary>
[Collection(nameof(RigTests))]
public sealed class HostFailureTests(RigFixture rig, ITestOutputHelper output)
{
    private const string Left = "what ran before runs on";

    [Fact]
    public async Task Deploy_WrongHostKey_IsRefused()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0);

        var message = await FailAsync(host.Host with { HostKey = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });

        Assert.Contains("orchestrator: the host at 10.77.0.10:22 was refused", message, StringComparison.Ordinal);
        Assert.Contains(host.Host.HostKey!, message, StringComparison.Ordinal);
        Assert.Contains("--accept-new-host-key", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_WrongUser_IsTold()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0);

        var message = await FailAsync(host.Host with { SshUser = "root" });

        Assert.Contains("does not accept the key for user root", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_WrongKeyOfOurs_IsTold()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0);
        // The host's own is as good as any that it does not let in.
        var key = Path.Combine(rig.HostsDirectory, "stranger");
        await File.WriteAllTextAsync(key, await host.RunAsync("cat /etc/ssh/ssh_host_ed25519_key"), TestContext.Current.CancellationToken);

        var message = await FailAsync(rig.Release with { PrivateKeyFile = key }, host.Host);

        Assert.Contains($"does not accept the key for user {RigHost.User}", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("docker", "version) echo 20.10.5+dfsg1", "orchestrator: the images are too new for its Docker 20.10.5+dfsg1")]
    [InlineData("uname", "-m) echo aarch64", "orchestrator: its processor is aarch64, and the images are for x86_64")]
    public async Task Deploy_HostThatCannotRunTheImages_IsTold(string program, string answer, string expected)
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0);
        // An older engine and another processor cannot be had here: the host says so of itself.
        await host.RunAsync($"""
            printf '#!/bin/sh\ncase "$1" in {answer} ;; *) exec /usr/bin/{program} "$@" ;; esac\n' > /usr/local/bin/{program}
            chmod 755 /usr/local/bin/{program}
            """);

        var message = await FailAsync(host.Host);

        Assert.StartsWith(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_HungHost_IsTold()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0);
        await using var hung = await rig.StartHostAsync(1);
        await hung.HangAsync();

        var message = await FailAsync(host.Host, hung.Host);

        Assert.StartsWith("host-1: ", message, StringComparison.Ordinal);
        Assert.Contains("the machine hangs", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_DockerMissing_IsTold()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0, docker: false);

        var message = await FailAsync(host.Host);

        Assert.Contains("orchestrator: Docker is missing", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_Port80Taken_IsToldWithTheProgramsName()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0);
        await host.RunAsync("""
            perl -MIO::Socket::INET -e 'my $server = IO::Socket::INET->new(Listen => 1, LocalPort => 80) or die; sleep 600' >/dev/null 2>&1 &
            timeout 10 sh -c 'until ss -Hltn "sport = :80" | grep -q .; do sleep 0.05; done'
            """);

        var message = await FailAsync(host.Host);

        Assert.Contains("orchestrator: port 80 (10.77.0.10) is taken by perl", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_DiskFull_IsTold()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0);
        await using var full = await rig.StartHostAsync(1);
        await full.RunAsync("mkdir -p /var/lib/lab && mount -t tmpfs -o size=8m tmpfs /var/lib/lab");

        var message = await FailAsync(host.Host, full.Host);

        Assert.StartsWith("host-1: its disk is full: /var/lib/lab has", message, StringComparison.Ordinal);
    }

    private Task<string> FailAsync(params DeployedHost[] hosts) => FailAsync(rig.Release, hosts);

    private async Task<string> FailAsync(ReleaseOptions release, params DeployedHost[] hosts)
    {
        var progress = new RecordedProgress(output.WriteLine);
        var failure = await Assert.ThrowsAsync<DeploymentException>(() => rig.Deployer.DeployAsync(hosts, release, progress, TestContext.Current.CancellationToken));
        output.WriteLine(failure.Message);
        Assert.Equal(ExitCode.HostFailed, failure.Code);
        Assert.Contains(Left, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        return failure.Message;
    }
}

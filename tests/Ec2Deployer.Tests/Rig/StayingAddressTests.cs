using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>The orchestrator's host is lost, another takes its place, and clients go on with the address and the certificate that they know.</summary>
[Collection(nameof(RigTests))]
public sealed class StayingAddressTests(RigFixture rig, ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The machines alone, without what runs on them: whoever knows the address reaches the next one by it.</summary>
    [Fact]
    public async Task Address_HostReplacedStoppedAndStarted_LeadsToWhicheverMachineHasIt()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var backend = new RigBackend(rig.HostsDirectory);
        await using var ec2 = await StandIn.StartAsync(backend);
        (ec2.Options.Lag, ec2.Options.PageSize, ec2.Options.EmptyConsoleReads) = (0, 100, 0);
        var directory = new DeploymentDirectory(rig.HostsDirectory, "staying");
        var deployment = new Ec2Deployment(ec2.Client(), directory, new Ec2Pace { Poll = TimeSpan.FromMilliseconds(100) }, TimeProvider.System);
        var options = new DeploymentOptions { Hosts = 1, SshFrom = RigNamespace.OwnAddress, HttpFrom = RigNamespace.OwnAddress, SshUser = RigHost.User };
        var progress = new RecordedProgress(output.WriteLine);

        var first = await deployment.ProvisionAsync(options, null, progress, Token);
        var address = Assert.Single(ec2.Addresses).Ip;
        Assert.Equal(address, first.Hosts[0].SshAddress);
        Assert.Equal(first.Hosts[0].HostKey, await ShownKeyAsync(address));

        await backend.LoseAsync("orchestrator");
        var second = await deployment.ProvisionAsync(options with { Replace = ["orchestrator"] }, null, progress, Token);
        Assert.Equal(address, second.Hosts[0].SshAddress);
        Assert.NotEqual(first.Hosts[0].HostKey, second.Hosts[0].HostKey);
        Assert.Equal(second.Hosts[0].HostKey, await ShownKeyAsync(address));

        await deployment.Life.StopAsync(options, (await deployment.FindAsync(options, Token)).Instances, progress, Token);
        await deployment.Life.StartAsync(options, (await deployment.FindAsync(options, Token)).Instances, progress, Token);
        Assert.Equal(address, (await deployment.FindAsync(options, Token)).Hosts[0].SshAddress);
        Assert.Equal(second.Hosts[0].HostKey, await ShownKeyAsync(address));
        // And no longer once it is given back.
        var third = await deployment.ProvisionAsync(options with { ElasticIp = false }, null, progress, Token);
        Assert.NotEqual(address, third.Hosts[0].SshAddress);
        Assert.Null(await ShownKeyAsync(address));
    }

    [Fact]
    public async Task Orchestrator_HostReplaced_IsReachedAsBefore()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var story = await FleetStory.StartAsync(rig, output);
        var first = await story.ReportAsync("publish", "--hosts", "2");
        FleetStory.AssertHealthy(first, containers: 5);
        var address = Assert.Single(story.Ec2.Addresses);
        Assert.Equal(address.Ip, first.Address.Host);
        Assert.NotEqual(story.Backend.Running["orchestrator"].Host.PrivateAddress, address.Ip);
        using var client = FleetStory.Client(first);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(client));
        // Each host's containers were told of as they came.
        Assert.Matches($@"✓ host-[12]: worker-a {first.Version}  healthy, [12] of 2", story.Said);

        await story.Backend.LoseAsync("orchestrator");
        var second = await story.ReportAsync("publish", "--replace", "orchestrator");

        FleetStory.AssertHealthy(second, containers: 5);
        Assert.Equal((first.Address, first.CertificateFingerprint), (second.Address, second.CertificateFingerprint));
        Assert.Equal(address.Ip, Assert.Single(story.Ec2.Addresses).Ip);
        // The client of before: it knows one address, and believes one certificate.
        Assert.Equal(HttpStatusCode.OK, await AskAnewAsync(client));
        await LoadIsShownAsync(story);

        await story.DestroyAsync();
        Assert.Empty(story.Ec2.Addresses);
    }

    /// <summary>The fingerprint of the key that SSH shows at an address, or null: nobody is there.</summary>
    private static async Task<string?> ShownKeyAsync(string address)
    {
        using var scan = Process.Start(new ProcessStartInfo("ssh-keyscan", ["-T", "10", "-t", "ed25519", address]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = scan.StandardError.ReadToEndAsync(Token);
        var keys = await scan.StandardOutput.ReadToEndAsync(Token);
        await scan.WaitForExitAsync(Token);
        await said;
        return keys.Split('\n').Select(line => line.Split(' ')).FirstOrDefault(fields => fields is [_, "ssh-ed25519", _]) is [_, _, var key]
            ? $"SHA256:{Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(key))).TrimEnd('=')}"
            : null;
    }

    private static async Task LoadIsShownAsync(FleetStory story)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var (code, status) = await story.StatusAsync();
            Assert.Equal(0, code);
            Assert.Equal(["free", "free", "free", "free"], status.GetProperty("containers").EnumerateArray()
                .Where(container => container.GetProperty("name").GetString()!.StartsWith("worker", StringComparison.Ordinal)).Select(container => container.GetProperty("state").GetString()));
            var traffic = status.GetProperty("traffic");
            if (traffic.GetProperty("requests_per_second").GetDouble() > 0)
            {
                Assert.InRange(traffic.GetProperty("p99_ms").GetDouble(), 0.1, 30_000);
                story.Say(string.Create(CultureInfo.InvariantCulture, $"{traffic}"));
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"After {Patience} no request is shown.");
        }
    }

    // Its connection was with the lost host: the new one knows nothing of that and resets it, where the client has not noticed yet.
    private static async Task<HttpStatusCode> AskAnewAsync(HttpClient client)
    {
        try
        {
            return await AskAsync(client);
        }
        catch (HttpRequestException e) when (e.InnerException is IOException)
        {
            return await AskAsync(client);
        }
    }

    private static async Task<HttpStatusCode> AskAsync(HttpClient client)
    {
        using var answer = await client.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent("a film that nobody will forget"), Token);
        return answer.StatusCode;
    }
}

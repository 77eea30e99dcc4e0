using System.Diagnostics;
using System.Text.Json;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>A fleet with a spot instance in it, on real hosts.</summary>
[Collection(nameof(RigTests))]
public sealed class SpotStoryTests(RigFixture rig, ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    // EC2's instance metadata service, for the host alone that has it.
    private const string MetadataService = """
        ip address add 169.254.169.254/32 dev lo
        cat > /run/metadata.pl <<'end'
        use IO::Socket::INET;
        my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => "169.254.169.254", LocalPort => 80) or die "$!";
        while (my $client = $server->accept) {
            my ($request, %headers) = scalar <$client>;
            while (defined(my $line = <$client>)) { $line =~ s/\r?\n//; last if $line eq ""; $headers{lc $1} = $2 if $line =~ /^([^:]+): (.*)/ }
            my ($status, $body) = $request =~ m{^PUT /latest/api/token } && $headers{"x-aws-ec2-metadata-token-ttl-seconds"} ? ("200 OK", "rig-token")
                : ($headers{"x-aws-ec2-metadata-token"} // "") ne "rig-token" ? ("401 Unauthorized", "")
                : $request =~ m{^GET /latest/meta-data/spot/instance-action } && -e "/run/spot-notice" ? ("200 OK", `cat /run/spot-notice`) : ("404 Not Found", "");
            print $client "HTTP/1.1 $status\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
            close $client;
        }
        end
        perl /run/metadata.pl </dev/null >/run/metadata.log 2>&1 &
        timeout 10 sh -c 'until ss -Hltn "sport = :80" | grep -q .; do sleep 0.05; done'
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The notice, two minutes of which the test leaves out, and the end of the host, while clients ask all the time.</summary>
    [Fact]
    public async Task Fleet_SpotHostTakenBackUnderLoad_LosesNothingAndIsMadeWholeAgain()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var story = await FleetStory.StartAsync(rig, output);
        await rig.BuildAsync();
        var first = await story.ReportAsync("publish", "--hosts", "3", "--spot");
        FleetStory.AssertHealthy(first, containers: 7);
        Assert.Equal(["host-3"], story.Ec2.Instances.Where(instance => instance.SpotPrice is not null).Select(instance => instance.Tags["lab:host"]));
        var host = story.Backend.Running["host-3"];
        await host.RunAsync(MetadataService);
        await using var load = await FleetStory.LoadAsync(first, clients: 4);

        story.Ec2.GiveNotice("host-3");
        await host.RunAsync($$"""echo '{"action":"terminate","time":"{{DateTime.UtcNow.AddMinutes(2):yyyy-MM-dd'T'HH:mm:ss'Z'}}"}' > /run/spot-notice""");
        var noticed = Stopwatch.GetTimestamp();
        while (!await AreDrainingAsync(first, "worker-5", "worker-6"))
        {
            Assert.True(Stopwatch.GetElapsedTime(noticed) < Patience, "The host's workers are not drained.");
            await Task.Delay(100, Token);
        }

        var took = Stopwatch.GetElapsedTime(noticed);
        story.Say($"drained {took.TotalSeconds:F1} s after the notice; {load.Answered} answers, {load.Failures.Count} failures");
        var (code, status) = await story.StatusAsync();
        Assert.Equal((int)ExitCode.HostFailed, code);
        Assert.Equal(["host-3"], status.GetProperty("hosts").EnumerateArray().Where(one => one.GetProperty("taken_back").ValueKind is JsonValueKind.True).Select(one => one.GetProperty("name").GetString()));
        await load.UntilMoreAsync(100, Token);

        await story.Ec2.ReclaimAsync("host-3");
        await load.UntilMoreAsync(100, Token);
        (code, status) = await story.StatusAsync();
        Assert.Equal((int)ExitCode.HostFailed, code);
        var gone = Assert.Single(status.GetProperty("hosts").EnumerateArray(), one => one.GetProperty("problem").ValueKind is not JsonValueKind.Null);
        Assert.Equal(("host-3", "gone, for EC2 has taken its spot instance back: 'publish' puts another in its place"), (gone.GetProperty("name").GetString(), gone.GetProperty("problem").GetString()));
        Assert.True(load.Failures.IsEmpty, string.Join('\n', load.Failures));

        var healed = await story.ReportAsync("publish");
        FleetStory.AssertHealthy(healed, containers: 7);
        Assert.Equal(first.Version, healed.Version);
        Assert.Equal(["host-3"], story.Ec2.Instances.Where(instance => instance is { SpotPrice: not null, State: "running" }).Select(instance => instance.Tags["lab:host"]));
        Assert.Equal(0, (await story.StatusAsync()).Code);
        await load.UntilMoreAsync(100, Token);
        story.Say($"made whole; {load.Answered} answers, {load.Failures.Count} failures");
        Assert.True(load.Failures.IsEmpty, string.Join('\n', load.Failures));
        await story.DestroyAsync();
    }

    private static async Task<bool> AreDrainingAsync(FleetReport report, params string[] names)
    {
        using var client = FleetStory.Client(report);
        using var workers = JsonDocument.Parse(await client.GetStringAsync(new Uri("/workers", UriKind.Relative), Token));
        return names.All(name => workers.RootElement.GetProperty(name).GetProperty("status").GetString() == "draining");
    }
}

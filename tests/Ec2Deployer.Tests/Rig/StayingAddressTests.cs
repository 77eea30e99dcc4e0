using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>The orchestrator's host is lost, another takes its place, and clients go on with the address and the certificate that they know.</summary>
[Collection(nameof(RigTests))]
public sealed class StayingAddressTests(RigFixture rig, ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

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
        Assert.Matches($@"✓ host-[12]: worker-a → {first.Version}  healthy, [12] of 2", story.Said);

        await story.Backend.LoseAsync("orchestrator");
        var second = await story.ReportAsync("publish", "--replace", "orchestrator");

        FleetStory.AssertHealthy(second, containers: 5);
        Assert.Equal((first.Address, first.CertificateFingerprint), (second.Address, second.CertificateFingerprint));
        Assert.Equal(address.Ip, Assert.Single(story.Ec2.Addresses).Ip);
        // The client of before: it knows one address, and believes one certificate.
        Assert.Equal(HttpStatusCode.OK, await AskAsync(client));
        await LoadIsShownAsync(story);

        await story.DestroyAsync();
        Assert.Empty(story.Ec2.Addresses);
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

    private static async Task<HttpStatusCode> AskAsync(HttpClient client)
    {
        using var answer = await client.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent("a film that nobody will forget"), Token);
        return answer.StatusCode;
    }
}

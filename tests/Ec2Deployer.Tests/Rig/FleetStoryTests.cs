using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Rig;

[Collection(nameof(RigTests))]
public sealed class FleetStoryTests(RigFixture rig, ITestOutputHelper output)
{
    [Fact]
    public async Task Fleet_FromNothingToTheEnd_ServesThroughout()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        var started = DateTime.UtcNow;
        void Say(string what) => output.WriteLine($"{(DateTime.UtcNow - started).TotalSeconds:F1} {what}");
        var progress = new RecordedProgress(Say);
        var hosts = (await Task.WhenAll(Enumerable.Range(0, 5).Select(number => rig.StartHostAsync(number)))).ToList();
        try
        {
            Say("hosts up");
            var report = await rig.Deployer.DeployAsync([.. hosts.Select(host => host.Host)], rig.Release, progress, TestContext.Current.CancellationToken);
            Say("deployed");
            output.WriteLine(string.Join('\n', report.Containers));
            Assert.Equal(9, report.Containers.Count(container => container.Health == "healthy"));
            Assert.True(report.Changed);
            var again = await rig.Deployer.DeployAsync([.. hosts.Select(host => host.Host)], rig.Release, progress, TestContext.Current.CancellationToken);
            Say("again");
            Assert.False(again.Changed);
        }
        catch
        {
            foreach (var command in (string[])["docker ps -a", "curl -sv -m 5 http://127.0.0.1/health", "cat /var/lib/lab/workers/workers.json; ls -la /var/lib/lab /var/lib/lab/*", "curl -s -m 5 http://10.77.0.11:8000/health", "curl -s -m 20 -H \"Authorization: Bearer $KEY\" http://127.0.0.1/workers", "curl -s -m 20 -H \"Authorization: Bearer $KEY\" -d hallo -H 'Content-Type: text/plain' http://127.0.0.1/new_request", "docker logs $(docker ps -q | head -1) 2>&1 | tail -20"])
            {
                try { Say(command + "\n" + await hosts[0].RunAsync("KEY=" + File.ReadAllText(rig.Release.StateDirectory + "/admin-key") + "; (" + command + ") 2>&1 || true")); } catch (InvalidOperationException e) { Say(e.Message); }
            }

            throw;
        }
        finally
        {
            foreach (var host in hosts) await host.DisposeAsync();
        }
    }
}

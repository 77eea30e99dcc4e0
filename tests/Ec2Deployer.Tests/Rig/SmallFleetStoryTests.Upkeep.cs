using System.Net;
using System.Text.Json;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Rig;

// What hosts go through that nobody has harmed: a night switched off, and a newer Docker.
public sealed partial class SmallFleetStoryTests
{
    /// <summary>Hosts that are stopped keep their disks; started again they form their Swarm by themselves and serve what they served, jobs included.</summary>
    private async Task StopOvernightAsync(FleetReport before)
    {
        Uri job;
        using (var client = FleetStory.Client(before))
        {
            client.DefaultRequestHeaders.Add("Prefer", "respond-async");
            using var answer = await client.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent("a quiet night"), Token);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            job = answer.Headers.Location!;
        }

        var stopped = await _story.Program.RunAsync("stop");
        Assert.True(stopped.Code == 0, stopped.Error);
        Assert.Empty(_story.Backend.Running);
        var (code, status) = await _story.StatusAsync();
        Assert.Equal((int)ExitCode.HostFailed, code);
        Assert.All(status.GetProperty("hosts").EnumerateArray(), host => Assert.Equal("stopped", host.GetProperty("state").GetString()));

        var started = await _story.ReportAsync("start");
        FleetStory.AssertHealthy(started, containers: 5);
        Assert.Equal(before.Version, started.Version);
        (code, status) = await _story.StatusAsync();
        Assert.Equal(0, code);
        Assert.All(status.GetProperty("hosts").EnumerateArray(), host => Assert.Equal("ready", host.GetProperty("swarm").GetString()));
        using var again = FleetStory.Client(started);
        using var told = JsonDocument.Parse(await again.GetStringAsync(new Uri(job.OriginalString, UriKind.RelativeOrAbsolute), Token));
        Assert.Contains(told.RootElement.GetProperty("status").GetString(), (string?[])["queued", "running", "succeeded"]);
    }

    /// <summary>A newer version of Docker for one host: it restarts there alone, and no request notices.</summary>
    private async Task UpgradeDockerUnderLoadAsync(FleetReport first)
    {
        // Debian's archive cannot be reached from here: what is installed is the same version again.
        const string Packages = """
            cat > /usr/local/bin/apt-cache <<'end'
            #!/bin/sh
            printf 'docker.io:\n  Installed: 1\n  Candidate: %s\n' "$(cat /run/candidate 2>/dev/null || echo 1)"
            end
            cat > /usr/local/bin/apt-get <<'end'
            #!/bin/sh
            case "$*" in *install*docker.io*) ;; *) exit 0 ;; esac
            rm /run/candidate
            engine=$(cat /run/docker.pid)
            kill "$engine"
            while kill -0 "$engine" 2>/dev/null; do sleep 0.1; done
            sh /run/dockerd.sh </dev/null >/dev/null 2>&1 &
            end
            printf '#!/bin/sh\n' > /usr/local/bin/apt-mark
            chmod +x /usr/local/bin/apt-*
            """;
        const string Engine = "cat /run/docker.pid";
        var hosts = _story.Backend.Running;
        foreach (var host in hosts.Values) await host.RunAsync(Packages);
        await hosts["host-1"].RunAsync("echo 2 > /run/candidate");
        var engines = await Task.WhenAll(hosts.Values.Select(host => host.RunAsync(Engine)));
        var (_, status) = await _story.StatusAsync();
        Assert.Equal(["host-1"], status.GetProperty("newer_docker").EnumerateArray().Select(host => host.GetString()));

        await using var load = await FleetStory.LoadAsync(first, clients: 4);
        var upgraded = await _story.ReportAsync("publish", "--upgrade-docker");
        await load.UntilMoreAsync(100, Token);

        _story.Say($"Docker upgraded; {load.Answered} answers, {load.Failures.Count} failures");
        FleetStory.AssertHealthy(upgraded, containers: 5);
        Assert.Equal((first.Version, true), (upgraded.Version, upgraded.Changed));
        Assert.True(load.Failures.IsEmpty, string.Join('\n', load.Failures));
        var changed = (await Task.WhenAll(hosts.Values.Select(host => host.RunAsync(Engine)))).Zip(engines, hosts.Keys).Where(one => one.First != one.Second);
        Assert.Equal(["host-1"], changed.Select(one => one.Third));
        (var code, status) = await _story.StatusAsync();
        Assert.Equal((0, 0), (code, status.GetProperty("newer_docker").GetArrayLength()));
    }
}

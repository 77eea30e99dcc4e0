using System.Collections.Concurrent;
using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>The program killed after each of its steps, and run again.</summary>
[Collection(nameof(RigTests))]
public sealed class KilledPublishTests(RigFixture rig, ITestOutputHelper output)
{
    // Most of the time each waits for its hosts, and not for a processor; with three of them new containers wait for theirs.
    private const int Lanes = 2;

    /// <summary>
    /// A fleet is published in one go, which tells the steps. Then as many fleets as there are lanes are published from
    /// nothing, killed on their way and published on, again and again, until each step has had a kill of its own; at last
    /// each must come to what the first came to.
    /// </summary>
    [Fact]
    public async Task Publish_KilledAfterAnyStep_ConvergesWhenRunAgain()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await KillAfterEachAsync(fleets: Lanes);
    }

    /// <summary>For <c>.ci/rig</c>, where it takes minutes: a fleet of its own for each step, with one kill.</summary>
    [Fact(Explicit = true)]
    public async Task Publish_KilledOnceAfterAnyStep_ConvergesWhenRunAgain()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await KillAfterEachAsync(fleets: int.MaxValue);
    }

    /// <summary>For <c>.ci/rig</c>, where it takes minutes: all steps of five hosts in one chain of kills. Three of them are in the fleet's story too.</summary>
    [Fact(Explicit = true)]
    public async Task Publish_OfFiveHostsKilledAfterEachStepInTurn_ConvergesWithNothingDoubledOrLeft()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var story = await FleetStory.StartAsync(rig, output);
        // A step that a run after the kill has to make again is not new, and the run gets further.
        var killedAfter = new HashSet<string>();
        while (await story.Program.RunUntilAsync(line => StepIn(line) is { } step && killedAfter.Add(step), "publish", "--hosts", "4") is 137)
        {
        }

        story.Say($"killed after {string.Join("; ", killedAfter)}");
        // The program goes on until the kill arrives: a short step may be over with the one before.
        Assert.InRange(killedAfter.Count, 12, int.MaxValue);
        await AssertConvergedAsync(story, await story.ReportAsync("publish"), workerHosts: 4);
        await story.DestroyAsync();
    }

    private async Task<IReadOnlyList<string>> StepsAsync()
    {
        await using var story = await FleetStory.StartAsync(rig, output);
        var steps = new List<string>();
        Assert.Equal(0, await story.Program.RunUntilAsync(line =>
        {
            if (StepIn(line) is { } step && !steps.Contains(step)) steps.Add(step);
            return false;
        }, "publish", "--hosts", "1"));
        var published = await story.ReportAsync("publish");
        await AssertConvergedAsync(story, published, workerHosts: 1);
        var (code, status) = await story.StatusAsync();
        Assert.Equal(0, code);
        Assert.Equal([published.Version], status.GetProperty("versions").EnumerateArray().Select(version => version.GetString()));
        await story.DestroyAsync();
        return steps;
    }

    private async Task KillAfterEachAsync(int fleets)
    {
        var steps = await StepsAsync();
        output.WriteLine($"{steps.Count} steps: {string.Join("; ", steps)}");
        Assert.InRange(steps.Count, 12, int.MaxValue);
        // A fleet's kills are as far from one another as can be: each is to come before the step of the next is over.
        var queue = new ConcurrentQueue<int[]>(Enumerable.Range(0, steps.Count).GroupBy(i => i % fleets).Select(group => group.ToArray()));
        // What has been built once is there for all.
        for (var lane = 1; lane < Lanes; lane++) CopyImages(rig.Release.StateDirectory, RigFixture.StateDirectoryIn(rig.ConfigDirectoryOf(lane)));

        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => Task.Run(async () =>
        {
            while (queue.TryDequeue(out var kills)) await KillAfterAsync(steps, kills, lane);
        })));
    }

    private async Task KillAfterAsync(IReadOnlyList<string> steps, IReadOnlyList<int> kills, int lane)
    {
        await using var story = await FleetStory.StartAsync(rig, output, lane);
        var killedAfter = new List<string>();
        foreach (var kill in kills)
        {
            // Or, where the kill before came late and it is over, after the next that follows it.
            var stretch = steps.Skip(kill).ToHashSet();
            string? last = null;
            var code = await story.Program.RunUntilAsync(line =>
            {
                if (last is not null || StepIn(line) is not { } step || !stretch.Contains(step)) return false;
                last = step;
                return true;
            }, "publish", "--hosts", "1");
            // After its last step the program may have ended before it could be killed.
            Assert.True(code == 137 || (code == 0 && last == steps[^1]), $"It ended with {code}, after '{last}'.");
            killedAfter.Add(last!);
        }

        var healed = await story.ReportAsync("publish", "--hosts", "1");
        var again = await story.ReportAsync("publish");
        Assert.Equal(healed.Version, again.Version);
        await AssertConvergedAsync(story, again, workerHosts: 1);
        await story.DestroyAsync();
        story.Say($"killed after {string.Join(", and then after ", killedAfter.Select(step => $"\"{step}\""))}, and healed");
    }

    /// <summary>Nothing is left to do, nothing is doubled, and nothing has been left behind.</summary>
    private static async Task AssertConvergedAsync(FleetStory story, FleetReport last, int workerHosts)
    {
        Assert.False(last.Changed);
        FleetStory.AssertHealthy(last, containers: 1 + (2 * workerHosts));
        Assert.Equal(1 + workerHosts, story.Ec2.Instances.Count);
        Assert.Equal((2, 1, 1 + workerHosts), (story.Ec2.Groups.Count, story.Ec2.Keys.Count, story.Ec2.Volumes.Count));
        foreach (var host in story.Backend.Running.Values)
        {
            Assert.Equal("", await host.RunAsync("find /dev/shm /tmp -mindepth 1 -maxdepth 1 -name 'lab-*' -o -name 'tmp.*'; find /var/lib/lab -name '.*'; ps -eo args | grep -E '[l]ab-(spread|fetch)' || true"));
            Assert.Equal("1", (await host.RunAsync("docker image ls --quiet | sort -u | wc -l")).Trim());
        }

        Assert.Equal($"{1 + workerHosts}", (await story.Backend.Running["orchestrator"].RunAsync("docker node ls --quiet | wc -l")).Trim());
        Assert.Equal("3", (await story.Backend.Running["orchestrator"].RunAsync("docker secret ls --quiet | wc -l")).Trim());
    }

    /// <summary>The step that a line says is over.</summary>
    private static string? StepIn(string line) => line.Split('✓') is [_, var step] ? step.Trim().Split("  ")[0] : null;

    private static void CopyImages(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(from, "images"), "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }
}

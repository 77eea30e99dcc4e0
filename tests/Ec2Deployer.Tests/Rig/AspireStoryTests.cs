using Lab.Ec2Deployer.Tests.AspireCli;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>The cluster on real hosts by <c>aspire deploy</c>, and gone again by <c>aspire destroy</c>.</summary>
[Collection(nameof(RigTests))]
public sealed class AspireStoryTests(RigFixture rig, ITestOutputHelper output)
{
    [Fact]
    public async Task Deploy_ToRealHosts_ServesUntilItIsDestroyed()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var story = await FleetStory.StartAsync(rig, output);
        var home = Directory.CreateDirectory(Path.Combine(rig.HostsDirectory, "aspire-home")).FullName;

        var deploy = await RunAsync("deploy", "--",
            "--Ec2:hosts=1", $"--Ec2:ssh-from={RigNamespace.OwnAddress}", $"--Ec2:http-from={RigNamespace.OwnAddress}",
            $"--Ec2:ssh-user={RigHost.User}", $"--Ec2:base-image={BaseImageRegistry.Reference}", "--Ec2:yes=true");

        Assert.True(deploy.Code == 0, deploy.Output);
        // The deployer's steps are tasks of the pipeline's step.
        Assert.Contains("(deploy-ec2)", deploy.Output, StringComparison.Ordinal);
        Assert.Contains("creating host-1", deploy.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await story.StatusAsync()).Code);
        using var client = new HttpClient(FleetStory.Pinned(Path.Combine(rig.Release.StateDirectory, "certificate.pem"))) { BaseAddress = new Uri($"https://{story.Backend.Running["orchestrator"].Host.SshAddress}") };
        client.DefaultRequestHeaders.Authorization = new("Bearer", FleetStory.Key);
        var answer = await client.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent("I loved every minute of it"), TestContext.Current.CancellationToken);
        Assert.Contains("\"label\":\"POSITIVE\"", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.DoesNotContain(FleetStory.Key, deploy.Output, StringComparison.Ordinal);

        var destroy = await RunAsync("destroy", "--yes", "--");
        Assert.True(destroy.Code == 0, destroy.Output);
        Assert.All(story.Ec2.Instances, instance => Assert.Equal("terminated", instance.State));
        Assert.Empty(story.Backend.Running);
        Assert.Empty(story.Ec2.Groups);
        Assert.Empty(story.Ec2.Keys);

        async Task<(int Code, string Output)> RunAsync(params string[] arguments)
        {
            var run = await AspireCommand.RunAsync(home, rig.ConfigDirectory,
                [.. arguments, $"--Ec2:endpoint-url={story.Ec2.Address.AbsoluteUri}", "--Ec2:region=us-east-1"]);
            story.Say($"aspire {string.Join(' ', arguments)}: {run.Code}\n{run.Output}");
            return run;
        }
    }
}

using System.Net;
using System.Text.Json;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <content>From one orchestrator to three and back, and the loss of one of the three.</content>
public sealed partial class SmallFleetStoryTests
{
    private async Task OutliveAnOrchestratorAsync()
    {
        await WriteSecretAsync(PostgresFile, RigPostgres.ConnectionString(Password));
        var three = await _story.ReportAsync("publish", "--orchestrators", "3", "--postgres", PostgresFile);
        FleetStory.AssertHealthy(three, containers: 7);
        FleetStory.AssertHealthy(await _story.ReportAsync("publish", "--orchestrators", "1"), containers: 5);
        var refused = await _story.Program.RunAsync("rollback");
        Assert.Equal((int)ExitCode.Usage, refused.Code);
        Assert.Contains("'publish --orchestrators 3' opens the others", refused.Error, StringComparison.Ordinal);
        FleetStory.AssertHealthy(await _story.ReportAsync("publish", "--orchestrators", "3"), containers: 7);
        // The version before has one orchestrator: the others go, and come again.
        FleetStory.AssertHealthy(await _story.ReportAsync("rollback"), containers: 5);
        Assert.Equal(0, (await _story.StatusAsync()).Code);
        three = await _story.ReportAsync("publish");
        FleetStory.AssertHealthy(three, containers: 7);
        Assert.Equal(["host-1", "host-2", "orchestrator"], three.Containers.Where(container => container.Port == 80).Select(container => container.Host).Order(StringComparer.Ordinal));

        using var second = FleetStory.Client(three with { Address = new Uri($"https://{_story.Backend.Running["host-1"].Host.SshAddress}") });
        second.DefaultRequestHeaders.Add("Prefer", "respond-async");
        var accepted = await Task.WhenAll(Enumerable.Range(0, Jobs).Select(async number =>
        {
            using var answer = await second.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent($"number {number}, a delight"), Token);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            return answer.Headers.Location!;
        }));
        await _story.Backend.LoseAsync("host-1");

        using var other = FleetStory.Client(three);
        await UntilAsync("all jobs have succeeded", async () =>
        {
            var left = 0;
            foreach (var job in accepted)
            {
                using var told = JsonDocument.Parse(await other.GetStringAsync(new Uri(job.OriginalString, UriKind.RelativeOrAbsolute), Token));
                var state = told.RootElement.GetProperty("status").GetString();
                Assert.Contains(state, (string?[])["queued", "running", "succeeded"]);
                if (state != "succeeded") left++;
            }

            _story.Say($"{left} of {Jobs} jobs are left");
            return left == 0;
        });
    }
}

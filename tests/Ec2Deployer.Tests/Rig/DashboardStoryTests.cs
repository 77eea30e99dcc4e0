using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Aspire's dashboard beside a small fleet on real hosts: what it shows, and that it goes again.</summary>
[Collection(nameof(RigTests))]
public sealed class DashboardStoryTests(RigFixture rig, ITestOutputHelper output) : IAsyncLifetime
{
    private const string OtlpKey = "planted-93ab5f0e6c1d4782-otlp";
    private const string BrowserToken = "planted-1e7c40d2b8f5a936-token";
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private FleetStory _story = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string State => rig.Release.StateDirectory;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        Assert.SkipWhen(Chromium.Obstacle is not null, Chromium.Obstacle ?? "");
        // Before anything watches for secrets: it takes the time that compilers need.
        await rig.BuildAsync();
        _story = await FleetStory.StartAsync(rig, output);
    }

    public async ValueTask DisposeAsync()
    {
        if (_story is not null) await _story.DisposeAsync();
        foreach (var name in (string[])["otlp-key", "dashboard-token"]) File.Delete(Path.Combine(State, name));
    }

    [Fact]
    public async Task Fleet_WithDashboard_ShowsATraceOfTwoHostsToItsOwnerAlone()
    {
        await PlantAsync("otlp-key", OtlpKey);
        await PlantAsync("dashboard-token", BrowserToken);
        await using var key = new PlantedSecret(OtlpKey);
        await using var token = new PlantedSecret(BrowserToken);

        var fleet = await _story.ReportAsync("publish", "--hosts", "1", "--dashboard", "yes");
        Assert.Equal(["orchestrator", "worker-1", "worker-2", "dashboard"], fleet.Containers.Select(container => container.Name));
        Assert.All(fleet.Containers, container => Assert.Equal("healthy", container.Health));
        Assert.False((await _story.ReportAsync("publish")).Changed);
        await ClassifyAsync(fleet);
        await LookAsync();

        await _story.AssertOnlyInAsync(key, Path.Combine(State, "otlp-key"));
        await _story.AssertOnlyInAsync(token, Path.Combine(State, "dashboard-token"));
        var orchestrator = _story.Backend.Running["orchestrator"];
        var told = await orchestrator.RunAsync("docker inspect $(docker ps --quiet) $(docker service ls --quiet); docker service logs lab_orchestrator 2>&1");
        Assert.DoesNotContain(OtlpKey, told, StringComparison.Ordinal);
        Assert.DoesNotContain(BrowserToken, told, StringComparison.Ordinal);
        _story.Say(await orchestrator.RunAsync("docker stats --no-stream"));

        var without = await _story.ReportAsync("publish", "--dashboard", "no");
        FleetStory.AssertHealthy(without, containers: 3);
        Assert.DoesNotContain("dashboard", await orchestrator.RunAsync("docker service ls --format '{{.Name}}'"), StringComparison.Ordinal);
        Assert.DoesNotContain(_story.Ec2.Groups.SelectMany(group => group.Rules), rule => rule.From == 4317);
        Assert.Equal(0, (await _story.StatusAsync()).Code);
        await _story.DestroyAsync();
    }

    private static async Task ClassifyAsync(FleetReport fleet)
    {
        using var client = FleetStory.Client(fleet);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/new_request", UriKind.Relative)) { Content = new StringContent("a day to remember") };
        request.Headers.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");
        using var answer = await client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>A browser before the address that the program prints, until the program is interrupted.</summary>
    private async Task LookAsync()
    {
        using var program = _story.Program.Start("dashboard", "--json");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        try
        {
            var line = await program.StandardOutput.ReadLineAsync(limit.Token);
            Assert.True(line is not null, line is null ? await program.StandardError.ReadToEndAsync(limit.Token) : "");
            var address = new Uri(JsonElement.Parse(line!).GetProperty("address").GetString()!);
            await using var browser = await Chromium.StartAsync();
            await browser.GoAsync(new Uri(address, $"/traces/detail/{Trace}"));
            await browser.UntilItShowsAsync("token");
            await browser.GoAsync(address);
            await browser.UntilItShowsAsync("Structured logs", "Traces");
            await browser.GoAsync(new Uri(address, $"/traces/detail/{Trace}"));
            await browser.UntilItShowsAsync("orchestrator", "worker-");
            // What a span says of where it was.
            foreach (var (service, host) in ((string, string)[])[("orchestrator", "orchestrator"), ("worker-", "host-1")])
            {
                await browser.EvaluateAsync($"[...document.querySelectorAll('[role=gridcell]')].find(cell => (cell.innerText + cell.ariaLabel).includes('{service}')).click()");
                await browser.UntilItShowsAsync("host.name", host);
            }

            if (Environment.GetEnvironmentVariable("LAB_PICTURE") is { } file) await File.WriteAllBytesAsync(file, await browser.PictureAsync(), Token);
            using (var interrupt = Process.Start("kill", ["-INT", $"{program.Id}"])) await interrupt.WaitForExitAsync(Token);
            await program.WaitForExitAsync(Token).WaitAsync(Patience, Token);
            Assert.Equal(0, program.ExitCode);
        }
        finally
        {
            if (!program.HasExited) program.Kill();
        }
    }

    private async Task PlantAsync(string name, string secret)
    {
        var file = Path.Combine(State, name);
        await File.WriteAllTextAsync(file, secret, Token);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Aspire's dashboard beside a small fleet on real hosts: who reaches it, what it shows, and that it goes again.</summary>
[Collection(nameof(RigTests))]
public sealed class DashboardStoryTests(RigFixture rig, ITestOutputHelper output) : IAsyncLifetime
{
    private const string OtlpKey = "planted-93ab5f0e6c1d4782-otlp";
    private const string BrowserToken = "planted-1e7c40d2b8f5a936-token";
    private const string Export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private FleetStory _story = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string State => rig.Release.StateDirectory;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        Assert.SkipWhen(Chromium.Obstacle is not null, Chromium.Obstacle ?? "");
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
        await RequireClosedDoorsAsync();
        await ClassifyAsync(fleet);
        await LookAsync();

        await _story.AssertOnlyInAsync(key, Path.Combine(State, "otlp-key"));
        await _story.AssertOnlyInAsync(token, Path.Combine(State, "dashboard-token"));
        var orchestrator = _story.Backend.Running["orchestrator"];
        var told = await orchestrator.RunAsync("docker inspect $(docker ps --quiet) $(docker service ls --quiet); docker service logs lab_dashboard 2>&1; docker stats --no-stream; ls -l /run/lab 2>/dev/null || true");
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

    /// <summary>Telemetry without the key is refused, and the pages answer the host itself alone.</summary>
    private async Task RequireClosedDoorsAsync()
    {
        var address = _story.Backend.Running["orchestrator"].Host.PrivateAddress;
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{address}:4317") };
        Assert.Equal(HttpStatusCode.Unauthorized, await ExportAsync(null));
        Assert.Equal(HttpStatusCode.Unauthorized, await ExportAsync("wrong"));
        Assert.Equal(HttpStatusCode.OK, await ExportAsync(OtlpKey));
        using var client = new TcpClient();
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(async () => await client.ConnectAsync(address, 18888, Token))).SocketErrorCode);
        var (code, status) = await _story.StatusAsync();
        Assert.Equal(0, code);
        var shown = status.GetProperty("containers").EnumerateArray().Single(container => container.GetProperty("name").GetString() == "dashboard");
        Assert.StartsWith("13.", shown.GetProperty("version").GetString(), StringComparison.Ordinal);

        async Task<HttpStatusCode> ExportAsync(string? key)
        {
            // An empty message, as gRPC frames it.
            using var request = new HttpRequestMessage(HttpMethod.Post, Export) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(new byte[5]) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            if (key is not null) request.Headers.Add("x-otlp-api-key", key);
            using var answer = await http.SendAsync(request, Token);
            return answer.StatusCode;
        }
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
            await program.WaitForExitAsync(limit.Token);
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

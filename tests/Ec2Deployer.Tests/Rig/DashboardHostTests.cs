using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Aspire's dashboard on one real host: who gets in, and by which way.</summary>
[Collection(nameof(RigTests))]
public sealed class DashboardHostTests(RigFixture rig, ITestOutputHelper output)
{
    private const string Export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ReleaseOptions Release => rig.Release with { Dashboard = true };

    [Fact]
    public async Task Dashboard_OnItsHost_LetsInWhoHasKeyOrTokenAndGoesAgain()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var host = await rig.StartHostAsync(0);
        using var http = new HttpClient();
        var builder = new ImageBuilder(rig.SourceDirectory, Release.StateDirectory, http);
        var image = await ImageAsync(builder);
        var progress = new RecordedProgress();
        using var session = await FleetSession.OpenAsync([host.Host], Release, progress, ConnectTimes.Default, TimeProvider.System, Token);
        session.RequireAll();
        var surveys = await HostSurveys.ReadAllAsync(session, Token);
        await new ImageTransfer(session, builder.LayerDirectory).RunAsync([new(image, [host.Host])], surveys, Token);
        var swarm = new SwarmExecutor(session);
        var (manager, _) = await swarm.FormAsync(surveys, Token);
        await swarm.LabelAsync(manager, surveys, Token);
        var release = Release with { CertificateFile = OwnCertificate.Ensure(Release.StateDirectory, [], DateTimeOffset.UtcNow, output.WriteLine) };
        var secrets = FleetKeys.Open(release.StateDirectory).Secrets(release).Where(secret => secret.Reader is SecretReader.Dashboard).ToList();
        foreach (var secret in secrets) await manager.RunAsync(new RolloutCommands("lab").CreateSecret(secret), Token);

        var dashboard = new DashboardSwitch(session, manager, TimeProvider.System);
        var changed = await dashboard.RunAsync(image, secrets, Token);
        output.WriteLine(await host.RunAsync("docker ps --all; docker service logs lab_dashboard 2>&1; docker stats --no-stream"));
        Assert.True(changed, string.Join('\n', progress.Lines));
        Assert.False(await dashboard.RunAsync(image, secrets, Token));
        var running = (await FleetContainers.ReadAsync(session, release: null, Token)).Single(container => container.Name == "dashboard");
        Assert.Equal(("healthy", 18888), (running.Health, running.Port));
        Assert.StartsWith($"{DashboardPackage.Version}-", running.Version, StringComparison.Ordinal);

        var (key, token) = (await ReadAsync("otlp-key"), await ReadAsync("dashboard-token"));
        await RequireKeyAsync(host.Host.PrivateAddress, key);
        using (var stranger = new TcpClient())
        {
            var refusal = await Assert.ThrowsAsync<SocketException>(async () => await stranger.ConnectAsync(host.Host.PrivateAddress, 18888, Token));
            Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        }

        var told = await host.RunAsync("docker inspect $(docker ps --quiet) $(docker service ls --quiet); docker service logs lab_dashboard 2>&1; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'");
        Assert.DoesNotContain(key, told, StringComparison.Ordinal);
        Assert.DoesNotContain(token, told, StringComparison.Ordinal);

        await using var tunnel = await new DashboardOperation(new FleetAccess(ConnectTimes.Default, TimeProvider.System)).RunAsync([host.Host], Release, localPort: 0, Token);
        await RequireTokenAsync(tunnel.Address);
        Assert.True(await dashboard.RunAsync(image: null, secrets, Token));
        Assert.False(await dashboard.RunAsync(image: null, secrets, Token));
        Assert.Equal("", (await host.RunAsync("docker service ls --quiet")).Trim());

        // The way is lost with its host.
        var watch = tunnel.WatchAsync(Token);
        await host.DisposeAsync();
        Assert.Equal(ExitCode.HostFailed, (await Assert.ThrowsAsync<DeploymentException>(() => watch.WaitAsync(TimeSpan.FromMinutes(1), Token))).Code);
    }

    // Upon the base that the orchestrator's image would have, which need not be built for it.
    private async Task<PackedImage> ImageAsync(ImageBuilder builder)
    {
        await using var layer = File.OpenRead(Path.Combine(rig.HostsDirectory, "base.tar.gz"));
        return await DashboardImage.BuildAsync(builder, new()
        {
            Reference = ContainerProject.Orchestrator.Reference("none"),
            Tag = "none",
            Config = """{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin","DOTNET_RUNNING_IN_CONTAINER=true"],"User":"1654"}}""",
            Layers = [await LayerWriter.KeepAsync(layer, builder.LayerDirectory, Token)],
        }, Token);
    }

    private async Task<string> ReadAsync(string name)
    {
        var file = Path.Combine(Release.StateDirectory, name);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        return await File.ReadAllTextAsync(file, Token);
    }

    private static async Task RequireKeyAsync(string address, string key)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{address}:4317") };
        foreach (var (shown, expected) in ((string?, HttpStatusCode)[])[(null, HttpStatusCode.Unauthorized), ("wrong", HttpStatusCode.Unauthorized), (key, HttpStatusCode.OK)])
        {
            // An empty message, as gRPC frames it.
            using var request = new HttpRequestMessage(HttpMethod.Post, Export) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(new byte[5]) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            if (shown is not null) request.Headers.Add("x-otlp-api-key", shown);
            using var answer = await http.SendAsync(request, Token);
            Assert.Equal(expected, answer.StatusCode);
        }
    }

    private static async Task RequireTokenAsync(Uri address)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = address };
        using var stranger = await http.GetAsync(new Uri("/traces", UriKind.Relative), Token);
        Assert.Contains("/login", stranger.Headers.Location?.OriginalString, StringComparison.Ordinal);
        using var wrong = await http.GetAsync(new Uri("/login?t=wrong", UriKind.Relative), Token);
        Assert.False(wrong.Headers.TryGetValues("Set-Cookie", out _));
        using var login = await http.GetAsync(address, Token);
        Assert.Equal((HttpStatusCode.Redirect, true), (login.StatusCode, login.Headers.TryGetValues("Set-Cookie", out _)));
        using var page = await http.GetAsync(new Uri("/traces", UriKind.Relative), Token);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }
}

using System.Text.Json;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>The command that opens Aspire's dashboard, and the option that puts it there.</summary>
public sealed class DashboardCommandTests : CommandTest
{
    private const string Address = "http://localhost:4711/login?t=token";

    [Fact]
    public async Task Dashboard_DeploymentWithoutOne_SaysInOneLineHowToGetIt()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "dashboard");

        Assert.Equal((int)ExitCode.Failed, result.Code);
        Assert.Contains("'lab' has no dashboard: 'publish --dashboard yes' puts one on the orchestrator's host.", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Fleet.Calls, call => call.StartsWith("dashboard", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("dashboard", "dashboard at 0")]
    [InlineData("dashboard --port 8888", "dashboard at 8888")]
    public async Task Dashboard_Interrupted_HasToldItsAddressAndIsClosed(string line, string call)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --dashboard yes");
        using var interrupt = new CancellationTokenSource();
        var tunnel = new FakeTunnel(interrupt.Cancel);
        (Fleet.Dashboard, Interrupt) = (tunnel, interrupt.Token);

        var result = await RunAsync(session, line);

        Assert.Equal((0, $"{Address}\n"), (result.Code, result.Out));
        Assert.DoesNotContain("t=token", result.Error, StringComparison.Ordinal);
        Assert.Contains(call, Fleet.Calls);
        Assert.True(tunnel.IsClosed);
    }

    [Fact]
    public async Task Dashboard_Json_TellsItsAddressInALineAtOnce()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --dashboard yes");
        using var interrupt = new CancellationTokenSource();
        (Fleet.Dashboard, Interrupt) = (new FakeTunnel(interrupt.Cancel), interrupt.Token);

        var result = await RunAsync(session, "dashboard --json");

        Assert.Equal(Address, JsonElement.Parse(Assert.Single(result.Out.TrimEnd('\n').Split('\n'))).GetProperty("address").GetString());
    }

    [Fact]
    public async Task Dashboard_ConnectionLost_IsToldAndEndsWith4()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --dashboard yes");
        var tunnel = new FakeTunnel(() => throw new DeploymentException(ExitCode.HostFailed, "orchestrator: the connection to the dashboard is lost: it broke."));
        Fleet.Dashboard = tunnel;

        var result = await RunAsync(session, "dashboard");

        Assert.Equal((int)ExitCode.HostFailed, result.Code);
        Assert.Contains("the connection to the dashboard is lost", result.Error, StringComparison.Ordinal);
        Assert.True(tunnel.IsClosed);
    }

    [Fact]
    public async Task Publish_Dashboard_IsRememberedAndLetsTelemetryInFromTheFleetAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --dashboard yes");
        await RunAsync(session, "publish");

        Assert.All(Fleet.Releases, release => Assert.True(release.Dashboard));
        var with = await RunAsync(session, "plan");
        Assert.Contains("4317", with.Out, StringComparison.Ordinal);
        Assert.Contains("telemetry to the dashboard", with.Out, StringComparison.Ordinal);
        Assert.Matches("orchestrator +orchestrator, dashboard", with.Out);
        Assert.Matches("dashboard +orchestrator +18888", with.Out);

        await RunAsync(session, "publish --dashboard no");
        Assert.False(Fleet.Releases[^1].Dashboard);
        Assert.DoesNotContain("4317", (await RunAsync(session, "plan")).Out, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(session, "dashboard")).Code);
    }

    [Theory]
    [InlineData("plan --dashboard maybe", "--dashboard 'maybe': yes or no.")]
    [InlineData("plan --dashboard yes --otlp http://10.0.0.5:4317", "--dashboard yes beside --otlp: telemetry goes to one receiver.")]
    [InlineData("plan --dashboard yes --instance-type m7g.large", "its image is made for x86-64 hosts alone, and m7g.large has Arm processors.")]
    [InlineData("dashboard --port 70000", "--port: from 1 to 65535")]
    public async Task Line_ThatCannotBe_IsRefusedWithAReason(string line, string reason)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
    }

    private sealed class FakeTunnel(Action watched) : IDashboardTunnel
    {
        public Uri Address => new(DashboardCommandTests.Address);

        public bool IsClosed { get; private set; }

        public async Task WatchAsync(CancellationToken cancellationToken)
        {
            watched();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            IsClosed = true;
            return ValueTask.CompletedTask;
        }
    }
}

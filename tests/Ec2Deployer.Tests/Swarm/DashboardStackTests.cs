using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

/// <summary>The dashboard's own stack file, and what the services' says of it.</summary>
public sealed class DashboardStackTests
{
    private const string Planted = "planted-77c1";

    private static readonly ReleaseOptions Release = new() { Deployment = "lab", StateDirectory = "/nowhere", PrivateKeyFile = "/nowhere/key", Dashboard = true };

    private static IReadOnlyList<FleetSecret> Secrets => [.. FleetSecret.Planned(Release).Select(secret => secret with { Content = Planted + secret.Kind })];

    [Fact]
    public void Build_Dashboard_RunsConfinedAndReadsItsSecretsFromFiles()
    {
        var stack = DashboardStack.Build("lab", "localhost:1/lab-dashboard:d1", "10.0.0.10", Secrets);

        var service = stack["services"]!["dashboard"]!;
        Assert.Equal(["dashboard"], stack["services"]!.AsObject().Select(one => one.Key));
        Assert.Equal(("1657:1657", true, """["ALL"]"""), ((string?)service["user"], (bool)service["read_only"]!, service["cap_drop"]!.ToJsonString()));
        Assert.Equal("""{"cpus":"0.5","memory":"512M","pids":256}""", service["deploy"]!["resources"]!["limits"]!.ToJsonString());
        Assert.Equal("""["node.labels.role == orchestrator"]""", service["deploy"]!["placement"]!["constraints"]!.ToJsonString());
        Assert.Equal("http://127.0.0.1:18888", (string?)service["environment"]!["ASPNETCORE_URLS"]);
        Assert.Equal("http://10.0.0.10:4317", (string?)service["environment"]!["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"]);
        Assert.Equal(
            [("/run/dashboard/Dashboard__Otlp__PrimaryApiKey", "1657", 256), ("/run/dashboard/Dashboard__Frontend__BrowserToken", "1657", 256)],
            service["secrets"]!.AsArray().Select(secret => ((string)secret!["target"]!, (string)secret["uid"]!, (int)secret["mode"]!)));
        Assert.Equal(2, stack["secrets"]!.AsObject().Count);
        Assert.DoesNotContain(Planted, StackFile.Text(stack), StringComparison.Ordinal);
    }

    [Fact]
    public void Build_AnotherImage_IsAnotherDescriptionOfTheSameVersionOfAspire()
    {
        var (one, two) = (DashboardStack.Spec(Build("d1")), DashboardStack.Spec(Build("d2")));

        Assert.NotEqual(one, two);
        Assert.Equal(one, DashboardStack.Spec(Build("d1")));
        Assert.Equal(one.Split('-')[0], two.Split('-')[0]);

        static System.Text.Json.Nodes.JsonObject Build(string tag) => DashboardStack.Build("lab", $"localhost:1/lab-dashboard:{tag}", "10.0.0.10", Secrets);
    }

    [Theory]
    [InlineData("worker-b", "1656", "http://10.0.0.10:4317")]
    [InlineData("orchestrator", "1654", "http://10.0.0.10:4317")]
    public void Of_ReleaseWithDashboard_SendsTelemetryThereWithTheKeyFromAFile(string name, string user, string endpoint)
    {
        var release = StackFile.Build(StackContent.Of(Release, "o", "w", Secrets, StackTimes.Default, "10.0.0.10"));

        var service = release.Stack["services"]![name]!;
        var secret = service["secrets"]!.AsArray().Single(one => (string?)one!["target"] == FleetSecret.TelemetryHeadersPath)!;
        Assert.Equal((user, 256), ((string?)secret["uid"], (int)secret["mode"]!));
        Assert.Equal(endpoint, (string?)service["environment"]!["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        Assert.Equal(FleetSecret.TelemetryHeadersPath, (string?)service["environment"]!["Telemetry__HeadersFile"]);
        Assert.Equal(name, (string?)service["environment"]!["OTEL_SERVICE_NAME"]);
        Assert.DoesNotContain(Planted, release.Text, StringComparison.Ordinal);
        // The dashboard is no part of a release: going back to one leaves it alone.
        Assert.DoesNotContain("dashboard", release.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ReleaseWithoutDashboard_HasNothingOfIt()
    {
        var release = StackFile.Build(StackContent.Of(Release with { Dashboard = false }, "o", "w", FleetSecret.Planned(Release with { Dashboard = false }), StackTimes.Default, "10.0.0.10"));

        Assert.DoesNotContain("otlp", release.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Null(release.Stack["services"]!["worker-a"]!["secrets"]);
    }
}

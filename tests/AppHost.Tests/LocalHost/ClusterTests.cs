using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Lab.AppHost.LocalHost;
using Lab.AppHost.LocalHost.Processes;

namespace Lab.AppHost.Tests.LocalHost;

public sealed class ClusterTests
{
    [Fact]
    public async Task Run_TwoServices_InjectsWhatAspireInjects()
    {
        await using var cluster = new TestCluster();
        var back = cluster.Add("back-1");
        var front = cluster.Add("front");
        front.References.Add(back);
        front.Dependencies.Add(back);
        front.Endpoint!.IsExternal = true;
        _ = cluster.Start();
        await cluster.SaysAsync("All 2 resources are ready after ");

        var environment = await TestCluster.GetAsync<Dictionary<string, string>>(front, "/environment");

        Assert.Equal(front.Endpoint.Url, environment["ASPNETCORE_URLS"]);
        Assert.Equal(back.Endpoint!.Url, environment["services__back-1__http__0"]);
        Assert.Equal(back.Endpoint.Url, environment["BACK_1_HTTP"]);
        Assert.Equal("front", environment["OTEL_SERVICE_NAME"]);
        Assert.Matches("^service.instance.id=[0-9a-f]{32}$", environment["OTEL_RESOURCE_ATTRIBUTES"]);
        Assert.Equal("in_memory", environment["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"]);
        Assert.Equal("1000", environment["OTEL_METRIC_EXPORT_INTERVAL"]);
        Assert.Equal("always_on", environment["OTEL_TRACES_SAMPLER"]);
        Assert.Equal("simple", environment["LOGGING__CONSOLE__FORMATTERNAME"]);
        Assert.DoesNotContain("DOTNET_LAUNCH_PROFILE", environment.Keys);
        Assert.Equal(Path.GetDirectoryName(front.Project.ProjectPath), environment["cwd"]);
        Assert.Contains($"back-1  | I am starting.", cluster.Output, StringComparison.Ordinal);
        Assert.Contains($"front is ready at {front.Endpoint.Url} (", cluster.Output, StringComparison.Ordinal);
        await cluster.SaysAsync($"curl {front.Endpoint.Url}/new_request ");
        Assert.Equal(0, await cluster.StopAsync());
    }

    [Fact]
    public async Task Run_DependencyNotReady_ComplainsAndWaits()
    {
        var health = Path.GetTempFileName();
        File.Delete(health);
        await using var cluster = new TestCluster { Timing = new Timing { Patience = TimeSpan.FromSeconds(1) } };
        var back = cluster.Add("back", $"health={health}");
        var front = cluster.Add("front");
        front.Dependencies.Add(back);
        _ = cluster.Start();

        await cluster.SaysAsync("back is not ready after ");
        await cluster.SaysAsync(": GET /health answers 503. Its last lines:");
        await cluster.SaysAsync("    I am starting.");
        await cluster.SaysAsync("front is not started yet: it waits for back.");
        Assert.DoesNotContain("front   | ", cluster.Output, StringComparison.Ordinal);

        await File.WriteAllTextAsync(health, "", TestContext.Current.CancellationToken);
        await cluster.SaysAsync("All 2 resources are ready after ");
        Assert.True(cluster.Output.IndexOf("back is ready", StringComparison.Ordinal) < cluster.Output.IndexOf("front   | I am starting.", StringComparison.Ordinal));
        File.Delete(health);
    }

    [Fact]
    public async Task Run_ServiceKilled_RestartsItAtTheSameAddress()
    {
        await using var cluster = new TestCluster();
        var service = cluster.Add("service");
        _ = cluster.Start();
        await cluster.SaysAsync("service is ready at ");
        var (url, id) = (service.Endpoint!.Url, await TestCluster.GetAsync<int>(service, "/id"));

        using (var process = Process.GetProcessById(id))
            process.Kill();

        await cluster.SaysAsync("service was killed (SIGKILL, exit code 137");
        await cluster.SaysAsync($"service is ready again at {url}");
        Assert.NotEqual(id, await TestCluster.GetAsync<int>(service, "/id"));
    }

    [Fact]
    public async Task Run_ServiceCrashesAtEveryStart_BacksOffAndShowsWhatItSaid()
    {
        await using var cluster = new TestCluster();
        cluster.Add("service", "crash=3");
        _ = cluster.Start();

        await cluster.SaysAsync("service exited with code 3 after ");
        await cluster.SaysAsync("next start in 0.1 s.");
        await cluster.SaysAsync("3 times in a row now; next start in 0.2 s.");
        await cluster.SaysAsync("apphost |     I cannot start for lack of a reason.");
    }

    [Fact]
    public async Task Stop_StubbornServiceWithChild_KillsBoth()
    {
        await using var cluster = new TestCluster { Timing = new Timing { Grace = TimeSpan.FromSeconds(1) } };
        var service = cluster.Add("service", "stubborn child");
        _ = cluster.Start();
        await cluster.SaysAsync("service is ready at ");
        var processes = new[] { await TestCluster.GetAsync<int>(service, "/id"), await TestCluster.GetAsync<int>(service, "/child") }
            .Select(id => ProcessIdentity.Of(id)!.Value).ToList();

        Assert.Equal(0, await cluster.StopAsync());

        Assert.All(processes, process => Assert.False(process.IsAlive));
        Assert.Contains("service did not stop by itself and was killed.", cluster.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_PortTaken_SaysSoAndStartsNothing()
    {
        using var other = new TcpListener(IPAddress.Any, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var cluster = new TestCluster();
        cluster.Add("back");
        cluster.Add("front", port: port);

        Assert.Equal(1, await cluster.Start());

        Assert.Contains($"front needs port {port}, and another program has it.", cluster.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("back    | ", cluster.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StopAndStart_ByTheUser_EndsTheProcessAndBringsAnother()
    {
        await using var cluster = new TestCluster();
        cluster.Add("service");
        _ = cluster.Start();
        await cluster.SaysAsync("service is ready at ");
        var first = ProcessIdentity.Of(cluster.Runner("service").Status.ProcessId!.Value)!.Value;

        cluster.Runner("service").Stop();
        await cluster.BecomesAsync("service", ResourceState.Stopped);
        Assert.False(first.IsAlive);
        Assert.True(cluster.Runner("service").Status is { IsDown: true, ProcessId: null });
        Assert.DoesNotContain("next start", cluster.Output, StringComparison.Ordinal);

        cluster.Runner("service").Start();
        await cluster.BecomesAsync("service", ResourceState.Running);
        var second = cluster.Runner("service").Status;
        Assert.NotEqual(first.Id, second.ProcessId);
        Assert.Equal(1, second.Restarts);

        cluster.Runner("service").Restart();
        await Eventually.TrueAsync(() => cluster.Runner("service").Status is { State: ResourceState.Running, Restarts: 2 }, () => cluster.Output);
        Assert.Equal(0, await cluster.StopAsync());
    }

    [Fact]
    public async Task Start_ExplicitResource_RunsOnceAndTellsHowItEnded()
    {
        await using var cluster = new TestCluster();
        cluster.Add("service");
        var task = cluster.Add("task", "crash=4");
        task.IsExplicitStart = true;
        _ = cluster.Start();
        await cluster.SaysAsync("All 1 resources are ready");
        Assert.Equal(ResourceState.NotStarted, cluster.Runner("task").Status.State);

        cluster.Runner("task").Start();
        await cluster.BecomesAsync("task", ResourceState.Failed);

        Assert.Equal("exited with code 4", cluster.Runner("task").Status.Lack);
        Assert.True(cluster.Runner("task").Status.IsDown);
        Assert.Contains("I cannot start for lack of a reason.", cluster.Runner("task").Lines.ToArray().Select(line => line.Text));
        Assert.Equal(0, await cluster.StopAsync());
    }

    [Fact]
    public async Task Status_ServiceThatFallsIll_SaysWhatItLacks()
    {
        var health = Path.GetTempFileName();
        await using var cluster = new TestCluster { Timing = new Timing { ProbeInterval = TimeSpan.FromMilliseconds(50), LongestProbeInterval = TimeSpan.FromMilliseconds(50) } };
        cluster.Add("service", $"health={health}");
        _ = cluster.Start();
        await cluster.SaysAsync("service is ready at ");

        File.Delete(health);

        await Eventually.TrueAsync(() => cluster.Runner("service").Status.Lack == "GET /health answers 503", () => cluster.Runner("service").Status.ToString());
        Assert.Equal(ResourceState.Running, cluster.Runner("service").Status.State);
    }
}

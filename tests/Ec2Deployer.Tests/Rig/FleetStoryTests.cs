using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>The life of a fleet on five real hosts, by the program's own commands. One story, for each of its chapters needs the one before.</summary>
[Collection(nameof(RigTests))]
public sealed class FleetStoryTests(RigFixture rig, ITestOutputHelper output) : IAsyncLifetime
{
    private FleetStory _story = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        _story = await FleetStory.StartAsync(rig, output);
    }

    public async ValueTask DisposeAsync()
    {
        if (_story is not null) await _story.DisposeAsync();
    }

    [Fact]
    public async Task Fleet_FromPublishToDestroy_ServesThroughoutAndLeavesNothing()
    {
        var (first, bytes) = await PublishInPiecesAsync();
        await AssertOnlyKeysOpenAsync(first);
        await AssertPlainHttpIsSentOnAsync(first);
        await AssertWorkersCannotListenForTheOrchestratorAsync();
        await PublishAgainAsync(first);
        var second = await UpdateUnderLoadAsync(first, bytes);
        await BreakUnderLoadAsync(second);
        await ScaleAsync(second);
        await LoseAHostAsync(second);
        await _story.AssertOnlyInAsync(_story.Secret, Path.Combine(rig.Release.StateDirectory, "api-key"), Path.Combine(rig.Release.StateDirectory, "authorization"));
        await _story.DestroyAsync();
    }

    /// <summary>Killed at three points of its way, and begun again each time.</summary>
    private async Task<(FleetReport First, long Bytes)> PublishInPiecesAsync()
    {
        Assert.Equal(137, await _story.Program.RunUntilCallAsync("RunInstances", "publish"));
        var before = SentByThisMachine();
        Assert.Equal(137, await _story.Program.RunUntilAsync(line => line.Contains("✓ orchestrator: sending images", StringComparison.Ordinal), "publish"));
        Assert.Equal(137, await _story.Program.RunUntilAsync(line => line.Contains("✓ starting worker-a", StringComparison.Ordinal), "publish"));
        var first = await _story.ReportAsync("publish");
        FleetStory.AssertHealthy(first, containers: 9);
        Assert.Equal(5, _story.Ec2.Instances.Count(instance => instance.State == "running"));
        Assert.Equal(5, _story.Backend.Running.Count);
        Assert.All(first.Containers.Where(container => container.Name != "orchestrator").GroupBy(container => container.Host),
            host => Assert.Equal([8000, 8001], host.Select(container => container.Port).Order()));

        // What four runs have sent, all told: each layer once, however often they were cut off.
        var bytes = await ImageBytesAsync();
        var sent = SentByThisMachine() - before;
        _story.Say($"{sent} bytes sent, {bytes} of images");
        Assert.InRange(sent, bytes, bytes * 5 / 4);
        return (first, bytes);
    }

    private async Task PublishAgainAsync(FleetReport first)
    {
        var (requests, mutations) = (_story.Ec2.Requests.Count, _story.Ec2.Mutations.Count);
        var again = await _story.ReportAsync("publish");
        Assert.False(again.Changed);
        Assert.Equal((first.Version, 0, 0L), (again.Version, again.ImagesSent, again.BytesSent));
        Assert.Equal(first.Containers, again.Containers);
        Assert.Equal(mutations, _story.Ec2.Mutations.Count);
        Assert.DoesNotContain(_story.Ec2.Requests.Skip(requests), request => request["Action"] == "RunInstances");
    }

    private async Task<FleetReport> UpdateUnderLoadAsync(FleetReport first, long bytes)
    {
        _story.Edit("Orchestrator/OrchestratorApp.cs", "\"Lab\"", "\"Lab, newer\"");
        _story.Edit("Worker/WorkerApplication.cs", "\"Lab worker\"", "\"Lab worker, newer\"");
        await rig.BuildAsync();
        await using var load = await FleetStory.LoadAsync(first, clients: 8);
        var second = await _story.ReportAsync("publish");
        await load.UntilMoreAsync(100, Token);
        _story.Say($"updated; {load.Answered} answers, {load.Failures.Count} failures; {second.BytesSent} of {bytes} bytes sent");
        Assert.Equal(first.Version, second.PreviousVersion);
        FleetStory.AssertHealthy(second, containers: 9);
        Assert.InRange(second.BytesSent, 1, bytes * 15 / 100);
        Assert.True(load.Failures.IsEmpty, string.Join('\n', load.Failures));
        return second;
    }

    private async Task BreakUnderLoadAsync(FleetReport second)
    {
        const string Defect = "Console.Error.WriteLine(\"a planted defect\");\nif (args.Length == 0) return 3;\n";
        _story.Edit("Worker/Program.cs", "if (HealthVerb", $"{Defect}if (HealthVerb");
        await rig.BuildAsync();
        await using var load = await FleetStory.LoadAsync(second, clients: 8);
        var failed = await _story.Program.RunAsync("publish");
        await load.UntilMoreAsync(100, Token);
        _story.Say($"taken back; {load.Answered} answers, {load.Failures.Count} failures");
        Assert.Equal((int)ExitCode.HostFailed, failed.Code);
        Assert.Contains("worker-a does not run", failed.Error, StringComparison.Ordinal);
        Assert.Contains($"Version {second.Version} serves again", failed.Error, StringComparison.Ordinal);
        Assert.Contains("a planted defect", failed.Error, StringComparison.Ordinal);
        Assert.True(load.Failures.IsEmpty, string.Join('\n', load.Failures));
        var (code, status) = await _story.StatusAsync();
        Assert.Equal((0, second.Version), (code, status.GetProperty("version").GetString()));
        _story.Edit("Worker/Program.cs", Defect, "");
    }

    private async Task ScaleAsync(FleetReport second)
    {
        var more = await _story.ReportAsync("scale", "--hosts", "5");
        FleetStory.AssertHealthy(more, containers: 11);
        Assert.Equal((second.Version, second.Containers[0].StartedAt), (more.Version, more.Containers[0].StartedAt));
        Assert.Equal(10, (await WorkersAsync(more)).Count);

        var fewer = await _story.ReportAsync("scale", "--hosts", "3");
        FleetStory.AssertHealthy(fewer, containers: 7);
        Assert.Equal(more.Containers[0].StartedAt, fewer.Containers[0].StartedAt);
        Assert.Equal(["host-1", "host-2", "host-3", "orchestrator"], _story.Backend.Running.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["worker-1", "worker-2", "worker-3", "worker-4", "worker-5", "worker-6"], (await WorkersAsync(fewer)).Order(StringComparer.Ordinal));
    }

    /// <summary>A manager's power fails: EC2 believes that it runs.</summary>
    private async Task LoseAHostAsync(FleetReport second)
    {
        await _story.Backend.LoseAsync("host-2");
        await using var load = await FleetStory.LoadAsync(second, clients: 4);
        var (code, status) = await _story.StatusAsync();
        Assert.Equal((int)ExitCode.HostFailed, code);
        var lost = Assert.Single(status.GetProperty("hosts").EnumerateArray(), host => host.GetProperty("problem").ValueKind is not JsonValueKind.Null);
        Assert.Equal("host-2", lost.GetProperty("name").GetString());
        Assert.Equal(["worker-3", "worker-4"], status.GetProperty("containers").EnumerateArray()
            .Where(container => container.GetProperty("health").GetString() != "healthy").Select(container => container.GetProperty("name").GetString()));

        var healed = await _story.ReportAsync("publish", "--replace", "host-2");
        FleetStory.AssertHealthy(healed, containers: 7);
        Assert.Equal(second.Version, healed.Version);
        (code, status) = await _story.StatusAsync();
        Assert.Equal(0, code);
        Assert.Equal(3, status.GetProperty("hosts").EnumerateArray().Count(host => host.GetProperty("manager").ValueKind is not JsonValueKind.Null));
        Assert.True(load.Failures.IsEmpty, string.Join('\n', load.Failures));
    }

    private static async Task AssertOnlyKeysOpenAsync(FleetReport report)
    {
        using var stranger = FleetStory.Client(report, key: null);
        using var refused = await stranger.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent("hello"), Token);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var client = FleetStory.Client(report);
        using var answer = await client.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent("a delight from start to end"), Token);
        Assert.Contains("\"label\":\"POSITIVE\"", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    private static async Task AssertPlainHttpIsSentOnAsync(FleetReport report)
    {
        var plain = report with { Address = new Uri($"http://{report.Address.Host}") };
        using var stranger = FleetStory.Client(plain, key: null);
        using var sentOn = await stranger.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent("hello"), Token);
        Assert.Equal((HttpStatusCode.PermanentRedirect, new Uri(report.Address, "/new_request")), (sentOn.StatusCode, sentOn.Headers.Location));
        using var client = FleetStory.Client(plain);
        using var refused = await client.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent("hello"), Token);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        // The line that publish prints, on the machine that published.
        var curl = ReportText.Curl(report);
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"{curl} --silent"]) { RedirectStandardOutput = true })!;
        Assert.Contains("\"label\":\"POSITIVE\"", await shell.StandardOutput.ReadToEndAsync(Token), StringComparison.Ordinal);
    }

    /// <summary>Every container has the user of its service and gains no privileges; only the orchestrator's user may listen beside it.</summary>
    private async Task AssertWorkersCannotListenForTheOrchestratorAsync()
    {
        const string Listen = """setpriv --reuid USER --regid USER --clear-groups perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0); setsockopt($s, SOL_SOCKET, 15, pack("i", 1)); print bind($s, sockaddr_in(443, INADDR_ANY)) ? "bound" : "$!"'""";
        const string Users = """for container in $(docker ps --quiet); do process=$(docker inspect --format '{{.State.Pid}}' $container); awk '/^(Uid|NoNewPrivs|CapEff|CapBnd):/ { printf "%s ", $2 }' /proc/$process/status; docker inspect --format '{{index .Config.Labels "com.docker.swarm.service.name"}}' $container; done""";
        var (front, back) = (_story.Backend.Running["orchestrator"], _story.Backend.Running["host-1"]);
        const string NoCapability = "0000000000000000";

        Assert.Equal($"1654 {NoCapability} {NoCapability} 1 lab_orchestrator", (await front.RunAsync(Users)).Trim());
        Assert.Equal([$"1655 {NoCapability} {NoCapability} 1 lab_worker-a", $"1656 {NoCapability} {NoCapability} 1 lab_worker-b"],
            (await back.RunAsync(Users)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        Assert.Equal("Permission denied", (await front.RunAsync("setpriv --reuid 1655 --regid 1655 --clear-groups cat /var/lib/lab/state/https/key.pem 2>&1 || true")).Split(": ")[^1].Trim());
        Assert.Equal("Address already in use", await front.RunAsync(Listen.Replace("USER", "1655", StringComparison.Ordinal)));
        Assert.Equal("bound", await front.RunAsync(Listen.Replace("USER", "1654", StringComparison.Ordinal)));
    }

    private static async Task<List<string>> WorkersAsync(FleetReport report)
    {
        using var client = FleetStory.Client(report);
        using var workers = JsonDocument.Parse(await client.GetStringAsync(new Uri("/workers", UriKind.Relative), Token));
        return [.. workers.RootElement.EnumerateObject().Select(worker => worker.Name)];
    }

    /// <summary>The layers of the images as they were built, each once; those of other stories' versions may lie beside them.</summary>
    private async Task<long> ImageBytesAsync() => (await rig.BuildAsync()).SelectMany(image => image.Layers).DistinctBy(layer => layer.DiffId).Sum(layer => layer.Bytes);

    /// <summary>What this machine has sent to the hosts; what they send each other does not pass its own address.</summary>
    private static long SentByThisMachine() => long.Parse(
        File.ReadLines("/proc/self/net/dev").Select(line => line.Split((char[])[' ', ':'], StringSplitOptions.RemoveEmptyEntries)).First(fields => fields[0] == "lab0")[9],
        CultureInfo.InvariantCulture);
}

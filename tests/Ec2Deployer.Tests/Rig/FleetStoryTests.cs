using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>The life of a fleet on real hosts, for <c>.ci/rig</c>: minutes at the limit of two cores. One story, for each of its steps needs the one before.</summary>
[Collection(nameof(RigTests))]
public sealed class FleetStoryTests(RigFixture rig, ITestOutputHelper output) : IAsyncDisposable
{
    private const string Key = "planted-8d1f0c52a7e94b36-key";
    private readonly DateTime _started = DateTime.UtcNow;
    private readonly List<RigHost> _hosts = [];
    private readonly List<string> _said = [];

    // Four as on EC2 where there are cores for them: each container's probes start a program every few seconds.
    private static readonly int WorkerHosts = int.Parse(Environment.GetEnvironmentVariable("LAB_RIG_HOSTS") ?? "2", CultureInfo.InvariantCulture);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // The first three are managers, whoever they are.
    private DeployedHost[] Hosts =>
        [.. _hosts.Select(host => host.Host).OrderBy(host => host.Role).ThenBy(host => host.Name, StringComparer.Ordinal).Select((host, index) => host with { Manager = index < 3 })];

    private ReleaseOptions Release => rig.Release with { StateDirectory = rig.Release.StateDirectory };

    public async ValueTask DisposeAsync() => await Task.WhenAll(_hosts.Select(host => host.DisposeAsync().AsTask()));

    [Fact(Explicit = true)]
    public async Task Fleet_FromNothingThroughUpdates_ServesThroughout()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        PlantKey();
        await using var secret = new PlantedSecret(Key);
        _hosts.AddRange(await Task.WhenAll(Enumerable.Range(0, 1 + WorkerHosts).Select(number => rig.StartHostAsync(number))));
        Say("the hosts answer");

        var first = await DeployAsync();
        Assert.True(first.Changed);
        Assert.Equal(2, first.ImagesSent);
        AssertHealthy(first.Containers, workers: 2 * WorkerHosts, first.Version);
        await AssertOnlyKeysOpenAsync(first);

        var again = await DeployAsync();
        Assert.False(again.Changed);
        Assert.Equal((first.Version, 0, 0L), (again.Version, again.ImagesSent, again.BytesSent));
        Assert.Equal(first.Containers, again.Containers);

        var second = await UpdateUnderLoadAsync(first);
        await BreakUnderLoadAsync(second);
        await RollBackUnderLoadAsync(first, second);

        AssertNoSecret(secret);
    }

    private async Task<FleetReport> UpdateUnderLoadAsync(FleetReport first)
    {
        Edit("Orchestrator/OrchestratorApp.cs", "\"Lab\"", "\"Lab, newer\"");
        Edit("Worker/WorkerApplication.cs", "\"Lab worker\"", "\"Lab worker, newer\"");
        await rig.BuildAsync();
        await using var load = new Load(first.Address, Key, clients: 32);
        await load.UntilMoreAsync(100, Cancellation);
        var second = await DeployAsync();
        await load.UntilMoreAsync(100, Cancellation);
        Say($"updated; {load.Answered} answers, {load.Failures.Count} failures; {second.BytesSent} of {first.BytesSent} bytes sent");
        Assert.Equal(first.Version, second.PreviousVersion);
        AssertHealthy(second.Containers, workers: 2 * WorkerHosts, second.Version);
        Assert.InRange(second.BytesSent, 1, first.BytesSent * 15 / 100);
        Assert.Empty(load.Failures);
        return second;
    }

    private async Task BreakUnderLoadAsync(FleetReport second)
    {
        Edit("Worker/Program.cs", "if (HealthVerb", "Console.Error.WriteLine(\"a planted defect\");\nif (args.Length == 0) return 3;\nif (HealthVerb");
        await rig.BuildAsync();
        await using var load = new Load(second.Address, Key, clients: 32);
        await load.UntilMoreAsync(100, Cancellation);
        var failure = await Assert.ThrowsAsync<DeploymentException>(DeployAsync);
        Say(failure.Message);
        Assert.Contains("worker-a does not run", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"Version {second.Version} serves again", failure.Message, StringComparison.Ordinal);
        Assert.Contains("a planted defect", failure.Message, StringComparison.Ordinal);
        var status = await rig.Deployer.StatusAsync(Hosts, Release, Cancellation);
        AssertHealthy(status.Containers, workers: 2 * WorkerHosts, second.Version);
        await load.UntilMoreAsync(100, Cancellation);
        Assert.Empty(load.Failures);
        Edit("Worker/Program.cs", "Console.Error.WriteLine(\"a planted defect\");\nif (args.Length == 0) return 3;\n", "");
    }

    private async Task RollBackUnderLoadAsync(FleetReport first, FleetReport second)
    {
        await using var load = new Load(first.Address, Key, clients: 32);
        await load.UntilMoreAsync(100, Cancellation);
        var back = await rig.Deployer.RollbackAsync(Hosts, Release, version: null, new RecordedProgress(Say), Cancellation);
        Assert.Equal((first.Version, second.Version), (back.Version, back.PreviousVersion));
        Assert.Equal(0, back.BytesSent);
        AssertHealthy(back.Containers, workers: 2 * WorkerHosts, first.Version);
        await load.UntilMoreAsync(100, Cancellation);
        Assert.Empty(load.Failures);
        var status = await rig.Deployer.StatusAsync(Hosts, Release, Cancellation);
        Assert.Equal([first.Version, second.Version], status.Versions);
        Assert.Null(status.Lock);
    }

    private static void AssertHealthy(IReadOnlyList<ContainerStatus> containers, int workers, string version)
    {
        Assert.Equal(1 + workers, containers.Count);
        Assert.All(containers, container => Assert.Equal(("healthy", version), (container.Health, container.Version)));
        Assert.Equal(1 + workers, containers.Select(container => (container.Host, container.Port)).Distinct().Count());
    }

    private static async Task AssertOnlyKeysOpenAsync(FleetReport report)
    {
        using var stranger = new HttpClient();
        using var refused = await stranger.PostAsync(new Uri(report.Address, "/new_request"), new StringContent("hello"), Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var client = Client(Key);
        using var answer = await client.PostAsync(new Uri(report.Address, "/new_request"), new StringContent("a delight from start to end"), Cancellation);
        Assert.Contains("\"label\":\"POSITIVE\"", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    private static HttpClient Client(string key)
    {
        var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    private void AssertNoSecret(PlantedSecret secret)
    {
        Assert.Empty(secret.Processes);
        Assert.DoesNotContain(_said, line => line.Contains(Key, StringComparison.Ordinal));
        var file = Assert.Single(secret.FilesBelow(rig.HostsDirectory));
        Assert.Equal(Path.Combine(Release.StateDirectory, "api-key"), file);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Say("no secret anywhere");
    }

    /// <summary>Hosts come, go and die; three hosts suffice for that.</summary>
    [Fact(Explicit = true)]
    public async Task Fleet_HostsComeGoAndDie_IsWhatItShouldBeEachTime()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        PlantKey();
        _hosts.AddRange(await Task.WhenAll(Enumerable.Range(0, 3).Select(number => rig.StartHostAsync(number))));
        var first = await DeployAsync();
        AssertHealthy(first.Containers, workers: 4, first.Version);
        await ScaleAsync();
        await LoseAHostAsync();
    }

    private async Task ScaleAsync()
    {
        var orchestrator = (await rig.Deployer.StatusAsync(Hosts, Release, Cancellation)).Containers[0].StartedAt;
        _hosts.Add(await rig.StartHostAsync(3));
        var more = await DeployAsync();
        AssertHealthy(more.Containers, workers: 6, more.Version);
        Assert.Equal(orchestrator, more.Containers[0].StartedAt);

        // A manager: another host takes its office.
        await rig.Deployer.DrainHostAsync(Hosts, Release, "host-2", new RecordedProgress(Say), Cancellation);
        await rig.Deployer.RemoveHostAsync(Hosts, Release, "host-2", new RecordedProgress(Say), Cancellation);
        var gone = _hosts.Single(host => host.Host.Name == "host-2");
        _hosts.Remove(gone);
        await gone.DisposeAsync();

        var fewer = await rig.Deployer.StatusAsync(Hosts, Release, Cancellation);
        AssertHealthy(fewer.Containers, workers: 4, more.Version);
        Assert.Equal(3, fewer.Hosts.Count(host => host.Manager is not null));
        using var http = Client(Key);
        var workers = JsonDocument.Parse(await http.GetStringAsync(new Uri(more.Address, "/workers"), Cancellation)).RootElement.EnumerateObject().Select(worker => worker.Name);
        Assert.Equal(["worker-1", "worker-2", "worker-5", "worker-6"], workers.Order(StringComparer.Ordinal));
        Say("scaled");
    }

    private async Task LoseAHostAsync()
    {
        var lost = _hosts.Single(host => host.Host.Name == "host-1");
        await lost.DisposeAsync();
        var status = await rig.Deployer.StatusAsync(Hosts, Release, Cancellation);
        Assert.False(status.Hosts.Single(host => host.Name == "host-1").Reachable);
        Assert.Equal(["worker-1", "worker-2"], status.Containers.Where(container => container.Health is not "healthy").Select(container => container.Name));

        _hosts[_hosts.IndexOf(lost)] = await rig.StartHostAsync(1);
        var healed = await DeployAsync();
        AssertHealthy(healed.Containers, workers: 4, healed.Version);
        var after = await rig.Deployer.StatusAsync(Hosts, Release, Cancellation);
        Assert.All(after.Hosts, host => Assert.Equal("ready", host.Swarm));
        Assert.Equal(3, after.Hosts.Count(host => host.Manager is not null));
        Say("healed");
    }


    private void PlantKey()
    {
        var file = Path.Combine(Release.StateDirectory, "api-key");
        File.WriteAllText(file, Key, Encoding.ASCII);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private void Edit(string file, string old, string replacement)
    {
        var path = Path.Combine(rig.SourceDirectory, file);
        var text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, replacement, StringComparison.Ordinal));
    }

    private Task<FleetReport> DeployAsync() => rig.Deployer.DeployAsync(Hosts, Release, new RecordedProgress(Say), Cancellation);

    private void Say(string what)
    {
        lock (_said) _said.Add(what);
        output.WriteLine($"{(DateTime.UtcNow - _started).TotalSeconds:F1} {what}");
    }
}

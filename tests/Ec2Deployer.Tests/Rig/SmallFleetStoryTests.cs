using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>A small fleet on real hosts: a certificate of the user's own, logs, locks, rollback, the loss of the orchestrator's host, several orchestrators before one database.</summary>
[Collection(nameof(RigTests))]
public sealed partial class SmallFleetStoryTests(RigFixture rig, ITestOutputHelper output) : IAsyncLifetime
{
    private const string Password = "planted-5c0e7f13b9aa4d21-password";
    private const int Jobs = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private FleetStory _story = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string CertificateFile => Path.Combine(rig.HostsDirectory, "https.pem");

    private string PostgresFile => Path.Combine(rig.HostsDirectory, "postgres");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        Assert.SkipWhen(RigPostgres.Obstacle is not null, RigPostgres.Obstacle ?? "");
        _story = await FleetStory.StartAsync(rig, output);
    }

    public async ValueTask DisposeAsync()
    {
        if (_story is not null) await _story.DisposeAsync();
        File.Delete(CertificateFile);
        File.Delete(PostgresFile);
    }

    [Fact]
    public async Task Fleet_LosesItsOrchestratorsHost_IsSupervisedHealedAndOutlivedByItsJobs()
    {
        await using var postgres = await RigPostgres.StartAsync(Password);
        var certificate = await MakeCertificateAsync();
        await using var key = new PlantedSecret(certificate.PrivateKey);
        await using var password = new PlantedSecret(Password);

        var first = await _story.ReportAsync("publish", "--hosts", "2", "--certificate", CertificateFile);
        FleetStory.AssertHealthy(first, containers: 5);
        Assert.Equal(certificate.Fingerprint, first.CertificateFingerprint);
        Assert.Equal(certificate.Fingerprint, await ServedFingerprintAsync(first));
        await FollowLogsThroughARestartAsync();
        await HarmAWorkerAsync();
        await LoseNothingToHarmAsync(first);
        await BreakALockAsync();
        await UpgradeDockerUnderLoadAsync(first);
        await RollBackUnderLoadAsync(first);
        await StopOvernightAsync(first);
        await LoseTheOrchestratorsHostAsync();
        await OutliveAnOrchestratorAsync();

        var apiKey = Path.Combine(rig.Release.StateDirectory, "api-key");
        await _story.AssertOnlyInAsync(_story.Secret, apiKey, Path.Combine(rig.Release.StateDirectory, "authorization"));
        await _story.AssertOnlyInAsync(password, PostgresFile);
        await _story.AssertOnlyInAsync(key, CertificateFile);
        await _story.DestroyAsync();
    }

    /// <summary>The Swarm starts another container for one that was killed, and who follows the log reads on there.</summary>
    private async Task FollowLogsThroughARestartAsync()
    {
        using var logs = _story.Program.Start("logs", "--worker", "worker-3", "-f");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        try
        {
            await ReadyLineAsync(logs, limit.Token);
            Assert.Equal(0, (await _story.Program.RunAsync("harm", "kill", "worker-3")).Code);
            await ReadyLineAsync(logs, limit.Token);
        }
        catch (OperationCanceledException)
        {
            _story.Say(await _story.Backend.Running["host-2"].RunAsync("ps -eo args | grep -v kworker; docker ps --all; docker ps --all --quiet --last 1 --filter label=com.docker.swarm.service.name=lab_worker-a"));
            throw;
        }
        finally
        {
            logs.Kill();
            await logs.WaitForExitAsync(CancellationToken.None);
        }

        await UntilAsync("nobody follows the log any more", async () =>
            (await _story.Backend.Running["host-2"].RunAsync("ps -eo args")).Contains("docker logs", StringComparison.Ordinal) is false);
    }

    /// <summary>What the load generator has done to workers reaches them on their hosts, and is undone.</summary>
    private async Task HarmAWorkerAsync()
    {
        const string Find = "container=$(docker ps --quiet --filter label=com.docker.swarm.service.name=lab_worker-b)";
        foreach (var (kind, stopped, cores) in ((string, bool, string)[])[("freeze", true, "1000000000"), ("thaw", false, "1000000000"), ("slow", false, "250000000"), ("thaw", false, "1000000000")])
        {
            var run = await _story.Program.RunAsync("harm", kind, "worker-2", "10.0.0.1", "8001");
            Assert.True(run.Code == 0, run.Error);
            var host = _story.Backend.Running["host-1"];
            var state = await host.RunAsync($"{Find}; ps -o stat= -p $(docker inspect --format '{{{{.State.Pid}}}}' $container)");
            Assert.Equal(stopped, state.StartsWith('T'));
            Assert.Equal(cores, (await host.RunAsync($"{Find}; docker inspect --format '{{{{.HostConfig.NanoCpus}}}}' $container")).Trim());
        }
    }

    /// <summary>The load generator as <c>bench faults</c> starts it: containers are killed, frozen and slowed under load.</summary>
    private async Task LoseNothingToHarmAsync(FleetReport fleet)
    {
        var program = AppContext.BaseDirectory.Replace(Path.Combine("tests", "Ec2Deployer.Tests"), Path.Combine("tests", "Bench"), StringComparison.Ordinal);
        var harm = BenchCommand.HarmProgram(["dotnet", rig.Program], ["--endpoint-url", _story.Ec2.Address.AbsoluteUri]);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(program, "Bench.dll"), .. BenchCommand.Arguments(["faults"], fleet.Address),
            // Long enough, and with cores enough left, for a container to be started anew on a slow machine.
            "--duration", "45s", "--clients", "3", "--pause", "500ms", "--freeze", "1s", "--no-report",
            "--key-file", Path.Combine(rig.Release.StateDirectory, "api-key"), "--fingerprint", fleet.CertificateFingerprint!, "--harm-with", harm])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _story.Program.SetEnvironment(start);
        using var bench = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(2 * Patience);
        var errors = bench.StandardError.ReadToEndAsync(limit.Token);
        var said = await bench.StandardOutput.ReadToEndAsync(limit.Token);
        await bench.WaitForExitAsync(limit.Token);
        _story.Say($"{said}{await errors}");
        Assert.Equal(0, bench.ExitCode);
        Assert.Contains("Lost: 0, wrong: 0", said, StringComparison.Ordinal);
        Assert.Contains("at work again after", said, StringComparison.Ordinal);
        Assert.DoesNotContain("not done", said, StringComparison.Ordinal);
    }

    private async Task ReadyLineAsync(Process logs, CancellationToken cancellationToken)
    {
        string? line;
        do line = await logs.StandardOutput.ReadLineAsync(cancellationToken);
        while (line?.Contains("is ready", StringComparison.Ordinal) is false);
        Assert.NotNull(line);
        _story.Say(line);
    }

    /// <summary>A publish that hangs holds the lock until somebody breaks it.</summary>
    private async Task BreakALockAsync()
    {
        using var hung = _story.Program.Start("publish");
        try
        {
            string? line;
            do line = await hung.StandardError.ReadLineAsync(Token);
            while (line?.Contains("✓ looking at the hosts", StringComparison.Ordinal) is false);
            Assert.NotNull(line);
            using (var stop = Process.Start("kill", ["-STOP", $"{hung.Id}"])) await stop.WaitForExitAsync(Token);

            var refused = await _story.Program.RunAsync("publish");
            Assert.Equal((int)ExitCode.Locked, refused.Code);
            Assert.Contains($"{Environment.UserName}@{Environment.MachineName} has been at work on this deployment ('publish')", refused.Error, StringComparison.Ordinal);
            var broken = await _story.Program.RunAsync("unlock", "--yes");
            Assert.Equal(0, broken.Code);
            Assert.Contains("is broken", broken.Output, StringComparison.Ordinal);
            Assert.Contains("There is no lock", (await _story.Program.RunAsync("unlock")).Output, StringComparison.Ordinal);
        }
        finally
        {
            hung.Kill();
            await hung.WaitForExitAsync(CancellationToken.None);
        }
    }

    private async Task RollBackUnderLoadAsync(FleetReport first)
    {
        // Of a version that nobody keeps: the next that changes anything deletes it.
        const string Orphan = "lab-key-000000000000";
        await _story.Backend.Running["orchestrator"].RunAsync($"echo old | docker secret create --label lab.deployment=lab {Orphan} -");
        _story.Edit("Worker/WorkerApplication.cs", "\"Lab worker\"", "\"Lab worker, newer\"");
        var second = await _story.ReportAsync("publish");
        FleetStory.AssertHealthy(second, containers: 5);
        var secrets = await _story.Backend.Running["host-1"].RunAsync("docker secret ls --format '{{.Name}}'");
        Assert.DoesNotContain(Orphan, secrets, StringComparison.Ordinal);
        Assert.Equal(3, secrets.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        await using var load = await FleetStory.LoadAsync(second, clients: 8);
        var back = await _story.ReportAsync("rollback");
        await load.UntilMoreAsync(100, Token);
        _story.Say($"rolled back; {load.Answered} answers, {load.Failures.Count} failures");
        Assert.Equal((first.Version, second.Version, 0L), (back.Version, back.PreviousVersion, back.BytesSent));
        FleetStory.AssertHealthy(back, containers: 5);
        Assert.True(load.Failures.IsEmpty, string.Join('\n', load.Failures));
        _story.Edit("Worker/WorkerApplication.cs", "\"Lab worker, newer\"", "\"Lab worker\"");
    }

    private async Task LoseTheOrchestratorsHostAsync()
    {
        await _story.Ec2.KillAsync("orchestrator");
        await KillAsync("host-1", "worker-b");
        await UntilAsync("the Swarm has started another worker-b", async () =>
            (await _story.Backend.Running["host-1"].RunAsync("docker ps --filter label=com.docker.swarm.service.name=lab_worker-b --filter health=healthy --quiet")).Trim().Length > 0);

        var (code, status) = await _story.StatusAsync();
        Assert.Equal((int)ExitCode.HostFailed, code);
        Assert.Equal(["orchestrator"], status.GetProperty("hosts").EnumerateArray()
            .Where(host => host.GetProperty("problem").ValueKind is not JsonValueKind.Null).Select(host => host.GetProperty("name").GetString()));
        Assert.Equal(["orchestrator"], status.GetProperty("containers").EnumerateArray()
            .Where(container => container.GetProperty("health").GetString() is not "healthy").Select(container => container.GetProperty("name").GetString()));

        var healed = await _story.ReportAsync("publish");
        FleetStory.AssertHealthy(healed, containers: 5);
        (code, status) = await _story.StatusAsync();
        Assert.Equal(0, code);
        Assert.All(status.GetProperty("hosts").EnumerateArray(), host => Assert.Equal("ready", host.GetProperty("swarm").GetString()));
    }

    private async Task KillAsync(string host, string service) => await _story.Backend.Running[host].RunAsync(
        $"docker kill $(docker ps --quiet --filter label=com.docker.swarm.service.name=lab_{service})");

    private static async Task UntilAsync(string what, Func<Task<bool>> isSo)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"After {Patience}: not so that {what}.");
            await Task.Delay(200, Token);
        }
    }

    private async Task<(string Fingerprint, string PrivateKey)> MakeCertificateAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=lab", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(1));
        var pem = key.ExportPkcs8PrivateKeyPem();
        await WriteSecretAsync(CertificateFile, $"{certificate.ExportCertificatePem()}\n{pem}\n");
        return (Fingerprint(certificate), pem.Split('\n')[1]);
    }

    private static async Task WriteSecretAsync(string file, string text)
    {
        await using var writer = new StreamWriter(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        await writer.WriteAsync(text);
    }

    private static async Task<string> ServedFingerprintAsync(FleetReport report)
    {
        string? print = null;
        using var handler = new HttpClientHandler();
        handler.ServerCertificateCustomValidationCallback = (_, shown, _, _) => (print = Fingerprint(shown!)) is not null;
        using var http = new HttpClient(handler);
        using var answer = await http.GetAsync(new Uri($"https://{report.Address.Host}/health"), Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return print!;
    }

    private static string Fingerprint(X509Certificate2 certificate) =>
        string.Join(':', SHA256.HashData(certificate.RawData).Select(part => part.ToString("X2", provider: null)));
}

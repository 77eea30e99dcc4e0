using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lab.Bench.Cluster;
using Lab.Bench.Tests.Faults;
using Lab.Orchestrator.Tests.Api;
using Lab.Testing;

namespace Lab.Bench.Tests.Commands;

public sealed class RealOrchestratorTests
{
    [Theory]
    [InlineData("--parallel", "5", "--rounds", "20")]
    [InlineData("--clients", "8", "--duration", "1s")]
    [InlineData("--rate", "100", "--duration", "1s")]
    public async Task Run_AgainstOrchestrator_NumbersAreItsOwn(params string[] load)
    {
        await using var first = await StubWorker.StartAsync();
        await using var second = await StubWorker.StartAsync();
        await using var lab = await ServiceProcess.StartAsync("Orchestrator.dll",
            ["--Jobs:Path=jobs.db", $"--Workers:worker-1={first.Address}", $"--Workers:worker-2={second.Address}"]);
        await lab.UntilMetricsAsync(metrics => metrics["lab_workers{status=\"free\"}"] == 2);
        using var bench = new BenchRun();

        var code = await bench.RunAsync("run", lab.Client.BaseAddress!, [.. load, "--warmup", "0", "--no-burst"]);

        var run = bench.Result["run"]!;
        var answered = (double)run["answered"]!;
        Assert.Equal(ExitCode.AllAnswered, code);
        Assert.True((bool)run["counts_agree"]!, bench.Output);
        // The sample answer comes before the run, and is the one request besides.
        var metrics = await lab.UntilMetricsAsync(metrics => metrics["lab_requests_total{outcome=\"answered\"}"] >= answered + 1);
        Assert.Equal(answered + 1, metrics["lab_requests_total{outcome=\"answered\"}"]);
        Assert.Equal(answered, (double)run["own_count"]!["answered"]!);
        Assert.Equal(first.Texts.Count + second.Texts.Count, answered + 1);
        foreach (var worker in run["workers"]!.AsArray())
            Assert.InRange((int)worker!["answered"]!, 1, worker["name"]!.ToString() == "worker-1" ? first.Texts.Count : second.Texts.Count);
        // The mean time in the queue: by the answers (rounded to 0.1 µs each) and by the orchestrator's histogram.
        var own = run["own_count"]!;
        Assert.Equal((double)own["queue_seconds"]! * 1000 / (double)own["dispatched"]!, (double)run["latency"]!["queue"]!["mean"]!, 0.001);
    }

    [Fact]
    public async Task Scale_KeysAndSelfSignedCertificate_NeedsTheFingerprintAndAnAdminKey()
    {
        using var bench = new BenchRun();
        var (pem, fingerprint) = MakeCertificate();
        await using var first = await StubWorker.StartAsync();
        await using var second = await StubWorker.StartAsync();
        var address = new Uri($"https://127.0.0.1:{FreePorts.Take()}");
        await using var lab = await ServiceProcess.StartAsync("Orchestrator.dll",
            ["--Jobs:Path=jobs.db", $"--Workers:worker-1={first.Address}", $"--Workers:worker-2={second.Address}", $"--urls=http://127.0.0.1:0;{address}",
                $"--Https:CertificatePath={bench.Write("https.pem", pem)}", "--Access:Keys:alice=alice-0123456789abcdef", "--Access:AdminKeys:root=root-0123456789abcdef"]);
        lab.Client.DefaultRequestHeaders.Authorization = new("Bearer", "alice-0123456789abcdef");
        await lab.UntilMetricsAsync(metrics => metrics["lab_workers{status=\"free\"}"] == 2);
        string[] load = ["--duration", "300ms", "--clients", "2", "--turns", "1"];
        string[] pinned = [.. load, "--fingerprint", fingerprint];

        Assert.Equal(ExitCode.CannotReach, await bench.RunAsync("scale", address, load));
        Assert.Contains("--fingerprint", bench.Errors);
        Assert.Equal(ExitCode.CannotReach, await bench.RunAsync("scale", address, [.. load, "--fingerprint", new string('0', 64)]));
        Assert.Equal(ExitCode.Usage, await bench.RunAsync("scale", address, pinned));
        Assert.Contains("wants an API key", bench.Errors);
        Assert.Equal(ExitCode.Usage, await bench.RunAsync("scale", address, [.. pinned, "--key-file", bench.Write("key", "alice-0123456789abcdef")]));
        Assert.Contains("needs a key with the admin scope", bench.Errors);
        // Nobody was drained, and nothing else is said.
        Assert.DoesNotContain("still drained", bench.Errors);
        Assert.Equal(ExitCode.AllAnswered, await bench.RunAsync("scale", address, [.. pinned, "--key-file", bench.Write("admin", "root-0123456789abcdef\n")]));

        Assert.Equal([1, 2], bench.Result["scale"]!["points"]!.AsArray().Select(point => (int)point!["workers"]!));
        Assert.Equal(2, (await lab.MetricsAsync())["lab_workers{status=\"free\"}"]);
    }

    [Theory]
    [InlineData("7A:EA", null)]
    [InlineData("", null)]
    [InlineData("zz000000000000000000000000000000000000000000000000000000000000zz", null)]
    [InlineData("00:01:02:03:04:05:06:07:08:09:0a:0B:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f", 31)]
    public void Fingerprint_Text_IsReadWithAndWithoutColons(string text, int? last) => Assert.Equal(last, PinnedCertificate.Read(text)?[^1]);

    private static (string Pem, string Fingerprint) MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=lab", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(1));
        return ($"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n", certificate.GetCertHashString(HashAlgorithmName.SHA256));
    }
}

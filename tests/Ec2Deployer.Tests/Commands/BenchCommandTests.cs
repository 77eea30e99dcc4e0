using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Fleet;

namespace Lab.Ec2Deployer.Tests.Commands;

public sealed class BenchCommandTests : CommandTest
{
    private const string Key = "planted-api-key";
    private const string AdminKey = "planted-admin-key";

    [Theory]
    [InlineData("", "run --url https://203.0.113.9")]
    [InlineData("--clients 64 --duration 60s", "run --url https://203.0.113.9 --clients 64 --duration 60s")]
    [InlineData("scale --out there", "scale --url https://203.0.113.9 --out there")]
    [InlineData("--help", "--help")]
    public void Arguments_Words_ArePassedOnWithTheAddress(string words, string expected) => Assert.Equal(
        expected.Split(' '), BenchCommand.Arguments(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), new Uri("https://203.0.113.9/")));

    [Theory]
    [InlineData("bench --parallel 5 --rounds 4 --out there", "run --url https://198.51.100.201 --parallel 5 --rounds 4 --out there --key-file DIR/api-key --fingerprint PRINT")]
    [InlineData("bench scale", "scale --url https://198.51.100.201 --key-file DIR/admin-key --fingerprint PRINT")]
    [InlineData("bench --key-file /mine --fingerprint=AA", "run --url https://198.51.100.201 --key-file /mine --fingerprint=AA")]
    public async Task Bench_OfADeployment_StartsTheLoadGeneratorWithTheKeysFileAndTheFingerprint(string line, string arguments)
    {
        await using var session = await PublishedAsync();
        var seen = Path.Combine(session.Config, "seen");
        LoadGenerator = ["/bin/sh", "-c", $"echo \"$*\" > {seen}; tr '\\0' ' ' < /proc/$$/cmdline >> {seen}; env >> {seen}; exit 7", "bench"];

        var (code, _, _) = await RunAsync(session, line);

        Assert.Equal(7, code);
        var lines = await File.ReadAllLinesAsync(seen, TestContext.Current.CancellationToken);
        Assert.Equal(Expand(session, arguments), lines[0]);
        // Neither in the process's arguments nor in its environment, which the same user's programs can read.
        Assert.DoesNotContain(lines, text => text.Contains(Key, StringComparison.Ordinal) || text.Contains(AdminKey, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("bench faults --clients 8", """faults --url https://198.51.100.201 --clients 8 --key-file DIR/admin-key --fingerprint PRINT --harm-with ["/opt/lab deployer","first","harm","--name","lab","--region","us-east-1"]""")]
    [InlineData("bench --ssh-port 2222 faults", """faults --url https://198.51.100.201 --key-file DIR/admin-key --fingerprint PRINT --harm-with ["/opt/lab deployer","first","harm","--name","lab","--region","us-east-1","--ssh-port","2222"]""")]
    [InlineData("bench faults --harm-with /mine", "faults --url https://198.51.100.201 --harm-with /mine --key-file DIR/admin-key --fingerprint PRINT")]
    public async Task Bench_Faults_HarmsThroughThisProgramUnlessToldOtherwise(string line, string arguments)
    {
        await using var session = await PublishedAsync();
        var seen = Path.Combine(session.Config, "seen");
        LoadGenerator = ["/bin/sh", "-c", $"echo \"$*\" > {seen}", "bench"];

        Assert.Equal(0, (await RunAsync(session, line)).Code);

        Assert.Equal(Expand(session, arguments), (await File.ReadAllTextAsync(seen, TestContext.Current.CancellationToken)).TrimEnd());
    }

    [Fact]
    public async Task Bench_CertificateReadElsewhere_SendsNothingToWhoeverAnswers()
    {
        await using var session = await PublishedAsync();
        File.Delete(ClientFiles.CertificateIn(session.DirectoryOf().Path));

        var (code, _, error) = await RunAsync(session, "bench");

        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("certificate.pem, is not on this machine", error, StringComparison.Ordinal);
        Assert.Contains("Run 'publish'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("harm kill worker-2 10.0.0.11 8001", 0, "Kill worker-2")]
    [InlineData("harm thaw worker-1", 0, "Thaw worker-1")]
    [InlineData("harm kill orchestrator", (int)ExitCode.Usage, null)]
    [InlineData("harm maim worker-1", (int)ExitCode.Usage, null)]
    public async Task Harm_OfAWorker_ReachesTheFleet(string line, int code, string? call)
    {
        await using var session = await PublishedAsync();

        Assert.Equal(code, (await RunAsync(session, line)).Code);

        Assert.Equal(call, Fleet.Calls.Skip(1).SingleOrDefault());
    }

    [Fact]
    public async Task Help_Harm_IsInNoListOfCommands()
    {
        await using var session = await Ec2Session.StartAsync();

        Assert.DoesNotContain("harm", (await RunAsync(session, "--help")).Out, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Bench_WithoutTheLoadGenerator_TellsWhereToSendRequests()
    {
        await using var session = await PublishedAsync();

        var (code, _, error) = await RunAsync(session, "bench");

        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("https://198.51.100.201/new_request", error, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bench_KeyMadeElsewhere_SaysWhichFileIsMissing()
    {
        await using var session = await PublishedAsync();
        File.Delete(Path.Combine(session.DirectoryOf().Path, "api-key"));

        var (code, _, error) = await RunAsync(session, "bench");

        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("api-key is not on this machine", error, StringComparison.Ordinal);
    }

    private async Task<Ec2Session> PublishedAsync()
    {
        var session = await Ec2Session.StartAsync();
        Assert.Equal(0, (await RunAsync(session, "publish --hosts 1")).Code);
        session.DirectoryOf().WriteSecret(Path.Combine(session.DirectoryOf().Path, "api-key"), $"{Key}\n");
        session.DirectoryOf().WriteSecret(Path.Combine(session.DirectoryOf().Path, "admin-key"), $"{AdminKey}\n");
        using var certificate = TlsServer.MakeCertificate("orchestrator");
        session.DirectoryOf().WriteSecret(ClientFiles.CertificateIn(session.DirectoryOf().Path), certificate.ExportCertificatePem());
        return session;
    }

    private static string Expand(Ec2Session session, string arguments) => arguments
        .Replace("DIR", session.DirectoryOf().Path, StringComparison.Ordinal)
        .Replace("PRINT", ClientFiles.FingerprintIn(session.DirectoryOf().Path), StringComparison.Ordinal);
}

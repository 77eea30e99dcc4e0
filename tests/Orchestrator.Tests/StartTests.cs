using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lab.Testing;

namespace Lab.Orchestrator.Tests;

/// <summary>What an orchestrator comes to that cannot serve, or is told to stop before it does.</summary>
public sealed class StartTests : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Orchestrator.dll");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-start-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("--Orchestrator:QueueCapacity=many", "Orchestrator:QueueCapacity is 'many'; it must be a whole number")]
    [InlineData("--Orchestrator:MaxBodyBytes=1MB", "Orchestrator:MaxBodyBytes is '1MB'; it must be a whole number")]
    [InlineData("--Orchestrator:Deadline=soon", "Orchestrator:Deadline is 'soon'; it must be a time such as 00:00:30")]
    [InlineData("--Orchestrator:ReusePort=perhaps", "Orchestrator:ReusePort is 'perhaps'; it must be true or false")]
    [InlineData("--Orchestrator:WorkersFile=", "Orchestrator:WorkersFile must be a file's path, or absent")]
    [InlineData("--Orchestrator:WorkersFile=/no/such/workers.json", "Orchestrator:WorkersFile: ")]
    [InlineData("--Workers:worker-1=nowhere", "Workers: The address of worker-1 is 'nowhere'")]
    [InlineData("--Https:PlainHttp=7", "Https:PlainHttp must be Served, Redirected or WithoutKey")]
    [InlineData("--Https:PlainHttp=never", "Https:PlainHttp is 'never'; it must be Served, Redirected or WithoutKey")]
    [InlineData("--Jobs:MaxBytes=10GiB", "Jobs:MaxBytes is '10GiB'; it must be a whole number")]
    [InlineData("--Jobs:Provider=postgres --Jobs:ConnectionString=postgres://lab:planted@db/lab", "Jobs:ConnectionString: ")]
    [InlineData("--Access:SecretsDirectory=/no/such", "Access:SecretsDirectory: there is no directory '/no/such'")]
    [InlineData("--urls=http://127.0.0.1:99999", "--urls (ASPNETCORE_URLS): 'http://127.0.0.1:99999' has a port that is not from 0 to 65535")]
    [InlineData("--urls=https://127.0.0.1:0 --Https:CertificatePath=/no/such.pem", "Https:CertificatePath '/no/such.pem'")]
    public async Task Start_SettingOfNoUse_OneLineThatNamesIt(string settings, string expected) => await FailsAsync(expected, settings.Split(' '));

    [Fact]
    public async Task Start_KeyOfAnotherCertificate_OneLineThatNamesBoth()
    {
        string[] names = ["a", "b"];
        foreach (var name in names)
        {
            using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var certificate = new CertificateRequest($"CN={name}", pair, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
            await File.WriteAllTextAsync(PathOf($"{name}.pem"), certificate.ExportCertificatePem(), Cancellation);
            await File.WriteAllTextAsync(PathOf($"{name}.key"), pair.ExportPkcs8PrivateKeyPem(), Cancellation);
        }

        await FailsAsync($"Https:CertificatePath '{PathOf("a.pem")}' with Https:KeyPath '{PathOf("b.key")}'",
            "--urls=https://127.0.0.1:0", $"--Https:CertificatePath={PathOf("a.pem")}", $"--Https:KeyPath={PathOf("b.key")}");
    }

    // There is room for its name, and none for the file beside it.
    [Fact]
    public Task Start_JobsFileWithoutItsHoldersFile_OneLineAndNoLoop() => FailsAsync("Jobs:Path: ", $"--Jobs:Path={PathOf(new string('x', 240))}");

    [Fact]
    public Task Start_JobsFileIsADirectory_SaysSo() => FailsAsync($"Jobs:Path: Jobs cannot be kept in {_directory.FullName}: it is a directory.", $"--Jobs:Path={_directory.FullName}");

    [Fact]
    public async Task Start_StopSignalWhileTheDatabaseSaysNothing_EndsWithZero()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var orchestrator = ChildProcess.Start("dotnet",
            [Program, "--urls=http://127.0.0.1:0", "--Jobs:Provider=postgres", $"--Jobs:ConnectionString=Host=127.0.0.1;Port={((IPEndPoint)silent.LocalEndpoint).Port};Database=lab;Username=lab"]);
        using var connection = await silent.AcceptTcpClientAsync(Cancellation);

        orchestrator.Signal(ChildProcess.Terminate);
        await orchestrator.WaitForExitAsync();

        // On a machine that has no time for it within five seconds, as if it hung.
        if (orchestrator.ExitCode != 143) Assert.Equal((0, ""), (orchestrator.ExitCode, orchestrator.Error));
    }

    [Fact]
    public async Task Start_StopSignalWhileTheStartHangs_EndsAllTheSame()
    {
        await using var orchestrator = ChildProcess.Start("dotnet",
            [Program, "--urls=http://127.0.0.1:0", $"--Jobs:Path={PathOf("jobs.db")}"], FailingStartup.Environment(PathOf("hangs")));
        await Eventually.TrueAsync(() => File.Exists(PathOf("hangs")), "the start hangs");

        orchestrator.Signal(ChildProcess.Terminate);
        await orchestrator.WaitForExitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(143, orchestrator.ExitCode);
        Assert.Single(orchestrator.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private async Task FailsAsync(string expected, params string[] settings)
    {
        var run = await ServiceProcess.FailAsync("Orchestrator.dll", [$"--Jobs:Path={PathOf("jobs.db")}", .. settings]);
        Assert.Equal(1, run.Code);
        Assert.StartsWith($"orchestrator: {expected}", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("planted", run.Error + run.Output, StringComparison.Ordinal);
    }
}

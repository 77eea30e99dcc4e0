using System.Diagnostics;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Tests.Fleet;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>The line that <c>publish</c> prints, given to a shell as it stands.</summary>
public sealed class CurlTests : IDisposable
{
    private const string Key = "planted-key-0123456789";

    // A space: what is printed must hold in every home directory.
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("lab test-");

    public void Dispose() => _home.Delete(recursive: true);

    [Fact]
    public async Task Curl_TheServersOwnCertificate_IsAnsweredAndShowsTheKeyToNobody()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/curl"), "curl is not installed");
        await using var server = await TlsServer.StartAsync("localhost", "orchestrator");
        var commandLines = "";
        server.Meanwhile = () => commandLines = CommandLinesOfCurl();

        var (code, output) = await RunAsync(ReportText.Curl(Report(server, server.Pem)));

        Assert.Equal((0, "answered"), (code, output));
        Assert.Equal([$"POST /new_request Bearer {Key}"], server.Requests);
        Assert.Contains("/new_request", commandLines, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, commandLines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Curl_AnotherCertificateOfTheSameName_SendsNothing()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/curl"), "curl is not installed");
        await using var server = await TlsServer.StartAsync("localhost", "orchestrator");
        using var other = TlsServer.MakeCertificate("localhost", "orchestrator");

        var (code, _) = await RunAsync(ReportText.Curl(Report(server, other.ExportCertificatePem())));

        // 60: the certificate is not believed.
        Assert.Equal(60, code);
        Assert.Empty(server.Requests);
    }

    private FleetReport Report(TlsServer server, string pem)
    {
        var files = ClientFiles.Write(Path.Combine(_home.FullName, "lab"), Key, [pem]);
        return new()
        {
            Version = "v1",
            Changed = true,
            Containers = [],
            Address = server.Address,
            AuthorizationFile = files.Authorization,
            CertificateFile = files.Certificate,
            ServerName = ServedCertificates.NameIn(pem),
        };
    }

    private static async Task<(int Code, string Output)> RunAsync(string line)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"exec {line} --silent"]) { RedirectStandardOutput = true })!;
        var output = await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (shell.ExitCode, output);
    }

    private string CommandLinesOfCurl()
    {
        var lines = new List<string>();
        foreach (var process in Process.GetProcessesByName("curl"))
        {
            using (process)
            {
                try
                {
                    var line = File.ReadAllText($"/proc/{process.Id}/cmdline") + File.ReadAllText($"/proc/{process.Id}/environ");
                    if (line.Contains(_home.FullName, StringComparison.Ordinal)) lines.Add(line);
                }
                catch (IOException)
                {
                    // Another's, and ended meanwhile.
                }
            }
        }

        return string.Join('\n', lines);
    }
}

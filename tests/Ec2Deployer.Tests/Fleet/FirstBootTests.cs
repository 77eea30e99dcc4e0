using System.Diagnostics;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Fleet;

/// <summary>A host without Docker: its first boot has failed, or goes on, or there was none; and hosts without a Swarm.</summary>
public sealed class FirstBootTests : IDisposable
{
    private static readonly DeployedHost Host = new("host-1", HostRole.Worker, true, "i-1", "192.0.2.11", "10.0.0.11", 22, "admin", null);

    private readonly string _path = Directory.CreateTempSubdirectory("lab-boot-").FullName;

    [Theory]
    [InlineData("error", true, "its first boot failed before Docker was installed (E: Unable to locate package docker.io)")]
    [InlineData("error", false, "its first boot failed before Docker was installed (E: Unable to locate package docker.io)")]
    [InlineData("running", false, "its first boot has not installed Docker yet")]
    [InlineData(null, true, "Docker is missing: there is no command docker")]
    public async Task Survey_NoDocker_TellsWhatTheFirstBootSays(string? status, bool waits, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It runs a shell of Linux.");
        foreach (var program in (string[])["sh", "timeout"]) File.CreateSymbolicLink(Path.Combine(_path, program), $"/bin/{program}");
        if (status is not null) Program("cloud-init", $"echo 'status: {status}'");
        Program("tail", "echo 'Reading package lists...'; echo 'E: Unable to locate package docker.io'; echo 'Failed to run module scripts-user'");

        var failure = HostSurveys.Obstacle("host-1", await RunAsync(HostCommands.Survey(Host, waits)));

        Assert.Equal(expected, failure!.What);
        Assert.Equal(status == "error", failure.Log.EndsWith("Failed to run module scripts-user", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, "inactive", "inactive", true)]
    [InlineData(1, "inactive", "inactive", false)]
    [InlineData(0, "inactive", "active", false)]
    [InlineData(0, "inactive", "pending", false)]
    public void IsUnformed_OnlyWhereAllHostsSaySo(int unreachable, string one, string other, bool expected) =>
        Assert.Equal(expected, HostSurveys.IsUnformed(unreachable, new Dictionary<string, HostSurvey> { ["a"] = Survey(one), ["b"] = Survey(other) }));

    public void Dispose() => Directory.Delete(_path, recursive: true);

    private static HostSurvey Survey(string state) => HostSurvey.Parse($$"""swarm {"NodeID":"","LocalNodeState":"{{state}}","ControlAvailable":false}""");

    private void Program(string name, string script)
    {
        var file = Path.Combine(_path, name);
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private async Task<CommandResult> RunAsync(HostCommand command)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command.Line["sudo -n ".Length..]]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["PATH"] = _path;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new(process.ExitCode, output, await error);
    }
}

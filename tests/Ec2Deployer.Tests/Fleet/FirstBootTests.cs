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

    /// <summary>A host that can be a manager, and one that cannot: what each says of the Swarm; null where it does not answer.</summary>
    [Theory]
    // A first publish broke off before the Swarm was formed.
    [InlineData("inactive", "inactive", true)]
    [InlineData("without Docker", "inactive", true)]
    [InlineData("inactive", null, true)]
    // Its only manager is gone, and another machine in its place.
    [InlineData("inactive", "active", true)]
    [InlineData("inactive", "pending", true)]
    // There is one, or may be.
    [InlineData("manager", "active", false)]
    [InlineData("pending", "active", false)]
    [InlineData(null, "inactive", false)]
    [InlineData("inactive", "manager", false)]
    public void IsWithoutSwarm_TellsWhetherThereIsOneToLeave(string? manager, string? worker, bool expected)
    {
        var surveys = new Dictionary<string, HostSurvey>();
        var problems = new Dictionary<string, HostFailedException>();
        foreach (var (name, state) in (ReadOnlySpan<(string, string?)>)[("host-1", manager), ("host-3", worker)])
        {
            if (state == "without Docker") problems[name] = HostSurveys.Obstacle(name, new(HostCommands.FirstBootFailed, "", ""))!;
            else if (state is not null) surveys[name] = Survey(state);
        }

        Assert.Equal(expected, HostSurveys.IsWithoutSwarm([Host, Host with { Name = "host-3", Manager = false }], surveys, problems));
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);

    private static HostSurvey Survey(string state) => HostSurvey.Parse(state == "manager"
        ? """swarm {"NodeID":"n1","LocalNodeState":"active","ControlAvailable":true}"""
        : $$"""swarm {"NodeID":"n1","LocalNodeState":"{{state}}","ControlAvailable":false}""");

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

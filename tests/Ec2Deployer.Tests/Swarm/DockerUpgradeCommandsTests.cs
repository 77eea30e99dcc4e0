using System.Diagnostics;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class DockerUpgradeCommandsTests
{
    private static readonly DeployedHost Host = new("host-1", HostRole.Worker, true, "i-1", "192.0.2.11", "10.0.0.11", 22, "admin", null);

    /// <summary>The script itself, before an <c>apt-cache</c> that says what Debian's does.</summary>
    [Theory]
    [InlineData("docker.io:\n  Installed: 20.10.24\n  Candidate: 20.10.25\n  Version table:\n     20.10.25 500\nrunc:\n  Installed: 1.1.5\n  Candidate: 1.1.5\n", "docker.io=20.10.25")]
    [InlineData("docker.io:\n  Installed: (none)\n  Candidate: 20.10.25\ncontainerd:\n  Installed: 1.6\n  Candidate: 1.7\n", "containerd=1.7")]
    [InlineData("", "")]
    public async Task TellNewer_WhatTheListsHave_IsTold(string policy, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no /bin/sh");
        var directory = Directory.CreateTempSubdirectory("lab-test-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "policy"), policy, TestContext.Current.CancellationToken);
            var program = Path.Combine(directory.FullName, "apt-cache");
            await File.WriteAllTextAsync(program, $"#!/bin/sh\n[ \"$1\" = policy ] && cat {directory.FullName}/policy\n", TestContext.Current.CancellationToken);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", $"PATH={directory.FullName}:$PATH\n{DockerUpgradeCommands.TellNewer}"]) { RedirectStandardOutput = true })!;

            var upgrades = HostSurvey.Parse(await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Upgrades;

            Assert.Equal(expected, string.Join(' ', upgrades.Select(upgrade => $"{upgrade.Key}={upgrade.Value}")));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Survey_AnyHost_TellsOfNewerVersions() => Assert.Contains("print \"upgrade\"", HostCommands.Survey(Host).Line, StringComparison.Ordinal);

    [Fact]
    public void Install_Packages_TakesThoseAloneAndHoldsThemAgain()
    {
        var line = DockerUpgradeCommands.Install(["docker.io", "runc"]).Line;

        Assert.Contains("--only-upgrade --no-install-recommends --allow-change-held-packages docker.io runc >&2", line, StringComparison.Ordinal);
        Assert.Contains("apt-mark hold docker.io runc", line, StringComparison.Ordinal);
    }
}

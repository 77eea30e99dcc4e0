using System.Diagnostics;
using System.Text.Json;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>The program as its user runs it, before the stand-in, whose instances are real hosts.</summary>
[Collection(nameof(RigTests))]
public sealed class PublishTests(RigFixture rig, ITestOutputHelper output)
{
    // As built for itself: among the tests' files some are left out that their framework brings.
    private static readonly string Program = AppContext.BaseDirectory.Replace(Path.Combine("tests", "Ec2Deployer.Tests"), "Ec2Deployer", StringComparison.Ordinal) + "Ec2Deployer.dll";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_KilledThenRepeatedThenAgain_ServesChangesNothingAndLeavesNothing()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var backend = new RigBackend(rig.HostsDirectory);
        await using var ec2 = await StandIn.StartAsync(backend);

        // Killed at three points of its way, and begun again each time.
        foreach (var point in (string[])["RunInstances", "sending images", "starting worker-a"]) await KillAtAsync(ec2, point);
        var first = await RunAsync(ec2, "publish", "--json");
        Assert.True(first.Code == 0, first.Error);
        using var published = JsonDocument.Parse(first.Output);
        output.WriteLine(first.Output);
        Assert.Equal(5, ec2.Instances.Count(instance => instance.State == "running"));
        Assert.Equal(5, backend.Running.Count);

        var status = await RunAsync(ec2, "status", "--json");
        Assert.True(status.Code == 0, status.Error);
        output.WriteLine(status.Output);
        using (var told = JsonDocument.Parse(status.Output))
        {
            var containers = told.RootElement.GetProperty("containers").EnumerateArray().ToList();
            Assert.Equal(9, containers.Count);
            Assert.All(containers, container => Assert.Equal("healthy", container.GetProperty("health").GetString()));
            Assert.Equal(9, containers.Select(container => (container.GetProperty("host").GetString(), container.GetProperty("port").GetInt32())).Distinct().Count());
        }

        var requests = ec2.Requests.Count;
        var again = await RunAsync(ec2, "publish", "--json");
        Assert.True(again.Code == 0, again.Error);
        using (var unchanged = JsonDocument.Parse(again.Output))
        {
            Assert.False(unchanged.RootElement.GetProperty("changed").GetBoolean());
            Assert.Equal(0, unchanged.RootElement.GetProperty("images_sent").GetInt32());
        }

        Assert.DoesNotContain(ec2.Requests.Skip(requests), request => !request["Action"]!.StartsWith("Describe", StringComparison.Ordinal) && request["Action"] != "GetConsoleOutput");

        await backend.LoseAsync("host-2");
        var lost = await RunAsync(ec2, "status");
        output.WriteLine(lost.Output);
        Assert.Contains("host-2", lost.Output, StringComparison.Ordinal);

        var destroyed = await RunAsync(ec2, "destroy", "--yes");
        Assert.True(destroyed.Code == 0, destroyed.Error);
        Assert.All(ec2.Instances, instance => Assert.Equal("terminated", instance.State));
        Assert.Empty(backend.Running);
        Assert.Equal(0, (await RunAsync(ec2, "destroy", "--yes")).Code);
    }

    /// <summary>Kills a <c>publish</c> as soon as it speaks of a step, or makes a call.</summary>
    private async Task KillAtAsync(StandIn ec2, string point)
    {
        using var process = Start(ec2, "publish");
        ec2.Options.LoseAnswer = action =>
        {
            if (action == point) process.Kill();
            return false;
        };
        var lines = new List<string>();
        while (await process.StandardError.ReadLineAsync(Cancellation) is { } line)
        {
            lines.Add(line);
            if (line.Contains(point, StringComparison.OrdinalIgnoreCase)) process.Kill();
        }

        await process.WaitForExitAsync(Cancellation);
        ec2.Options.LoseAnswer = null;
        output.WriteLine($"killed at {point}:\n{string.Join('\n', lines)}");
        Assert.True(process.ExitCode == 137, $"It ended with {process.ExitCode} and was never killed at '{point}'.");
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(StandIn ec2, params string[] arguments)
    {
        var started = Stopwatch.StartNew();
        using var process = Start(ec2, arguments);
        var error = process.StandardError.ReadToEndAsync(Cancellation);
        var text = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        output.WriteLine($"{string.Join(' ', arguments)}: {process.ExitCode} after {started.Elapsed.TotalSeconds:F1} s\n{await error}");
        return (process.ExitCode, text, await error);
    }

    private Process Start(StandIn ec2, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Program);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var argument in (string[])["--endpoint-url", ec2.Address.AbsoluteUri]) start.ArgumentList.Add(argument);
        if (arguments[0] == "publish")
        {
            foreach (var argument in (string[])["--ssh-from", RigNamespace.OwnAddress, "--http-from", RigNamespace.OwnAddress, "--ssh-user", RigHost.User, "--base-image", BaseImageRegistry.Reference])
                start.ArgumentList.Add(argument);
        }

        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("AWS_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        start.Environment["XDG_CONFIG_HOME"] = Path.Combine(rig.HostsDirectory, "config");
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
        start.Environment["AWS_SECRET_ACCESS_KEY"] = "planted-secret-access-key";
        return Process.Start(start)!;
    }
}

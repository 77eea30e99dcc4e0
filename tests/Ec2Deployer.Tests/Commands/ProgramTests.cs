using System.Runtime.Versioning;
using System.Text.Json;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Packaging;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>The program itself, as a process of its own.</summary>
[SupportedOSPlatform("linux")]
public sealed class ProgramTests
{
    private static string Program => typeof(Lab.Ec2Deployer.Commands.DeployerApp).Assembly.Location;

    [Fact]
    public async Task Plan_NoAccountAtAll_PrintsJsonAndEndsWithZero()
    {
        await using var session = await Ec2Session.StartAsync();

        var run = await ChildProcess.RunAsync("dotnet", [Program, "plan", "--json"], Environment(session));

        Assert.Equal(0, run.Code);
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(9, document.RootElement.GetProperty("containers").GetArrayLength());
    }

    [Fact]
    public async Task Publish_CtrlCWhileAHostStarts_EndsWith130AndGoesOnNextTime()
    {
        await using var session = await Ec2Session.StartAsync();

        var run = await InterruptAsync(session, "publish", "--yes", "--base-image", BuiltImages.Base, "--hosts", "1", "--ssh-from", "203.0.113.7", "--http-from", "203.0.113.7");

        Assert.Equal(130, run.Code);
        Assert.Contains("Interrupted", run.Error, StringComparison.Ordinal);
        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1, Owner = "ana" });
        Assert.Equal(2, session.Alive().Count);
    }

    [Fact]
    public async Task Publish_CtrlCWithJsonProgress_TellsItInJson()
    {
        await using var session = await Ec2Session.StartAsync();

        var run = await InterruptAsync(session, "publish", "--yes", "--base-image", BuiltImages.Base, "--hosts", "1", "--ssh-from", "203.0.113.7", "--http-from", "203.0.113.7", "--progress", "json");

        var events = ProgressLines.Events(run.Error);
        Assert.Equal(130, run.Code);
        Assert.Equal(130, events[^1].GetProperty("exit_code").GetInt32());
        Assert.Equal("m7i-flex.large in us-east-1a", events.OfStep("creating orchestrator")[^1].Text("outcome"));
    }

    [Fact]
    public async Task Plan_JsonProgressOnAConsoleWithAnotherEncoding_IsUtf8()
    {
        await using var session = await Ec2Session.StartAsync();
        var environment = Environment(session);
        environment["LC_ALL"] = "de_DE.ISO-8859-1";

        var run = await ChildProcess.RunAsync("dotnet", [Program, "plan", "--name", "größe", "--progress", "json"], environment);

        // It is read as UTF-8 here.
        Assert.Contains("größe", Assert.Single(ProgressLines.Events(run.Error)).Text("message"), StringComparison.Ordinal);
    }

    // Runs it with credentials, and presses Ctrl-C while the first host is being started.
    private static async Task<ProgramRun> InterruptAsync(Ec2Session session, params string[] arguments)
    {
        var environment = Environment(session);
        environment["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
        environment["AWS_SECRET_ACCESS_KEY"] = "planted-secret-access-key";
        BuiltImages.Put(session.DirectoryOf().Path);
        var (process, interrupts) = (0, 0);
        session.StandIn.Options.LoseAnswer = action =>
        {
            // Once: a second Ctrl-C would end the program on the spot.
            if (action != "RunInstances" || Interlocked.Exchange(ref interrupts, 1) == 1) return false;
            ChildProcess.Signal(process, ChildProcess.Interrupt);
            return true;
        };
        var run = await ChildProcess.RunAsync("dotnet", [Program, .. arguments, "--endpoint-url", session.StandIn.Address.AbsoluteUri], environment, started: id => process = id);
        session.StandIn.Options.LoseAnswer = null;
        return run;
    }

    private static Dictionary<string, string?> Environment(Ec2Session session)
    {
        var environment = System.Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("AWS_", StringComparison.Ordinal)).ToDictionary(name => name, _ => (string?)null);
        // The directory that the session's own deployments use too: "lab" below it.
        environment["XDG_CONFIG_HOME"] = session.Config;
        environment["HOME"] = session.Config;
        environment["AWS_EC2_METADATA_DISABLED"] = "true";
        return environment;
    }
}

using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>The program itself, as a process of its own.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class ProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Plan_NoAccountAtAll_PrintsJsonAndEndsWithZero()
    {
        await using var session = await Ec2Session.StartAsync();
        using var process = Start(session, credentials: false, "plan", "--json");

        var output = await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);

        Assert.Equal(0, process.ExitCode);
        using var document = JsonDocument.Parse(output);
        Assert.Equal(9, document.RootElement.GetProperty("containers").GetArrayLength());
    }

    [Fact]
    public async Task Publish_CtrlCWhileAHostStarts_EndsWith130AndGoesOnNextTime()
    {
        await using var session = await Ec2Session.StartAsync();
        var process = Start(session, credentials: true, "publish", "--hosts", "1", "--ssh-from", "203.0.113.7", "--http-from", "203.0.113.7");
        var interrupts = 0;
        session.StandIn.Options.LoseAnswer = action =>
        {
            // Once: a second Ctrl-C would end the program on the spot.
            if (action != "RunInstances" || Interlocked.Exchange(ref interrupts, 1) == 1) return false;
            if (Kill(process.Id, 2) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
            return true;
        };

        var error = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        var code = process.ExitCode;
        process.Dispose();
        session.StandIn.Options.LoseAnswer = null;

        Assert.Equal(130, code);
        Assert.Contains("Interrupted", error, StringComparison.Ordinal);
        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1 });
        Assert.Equal(2, session.Alive().Count);
    }

    [Fact]
    public async Task Publish_CtrlCWithJsonProgress_TellsItInJson()
    {
        await using var session = await Ec2Session.StartAsync();
        using var process = Start(session, credentials: true, "publish", "--hosts", "1", "--ssh-from", "203.0.113.7", "--http-from", "203.0.113.7", "--progress", "json");
        var interrupts = 0;
        session.StandIn.Options.LoseAnswer = action =>
        {
            if (action != "RunInstances" || Interlocked.Exchange(ref interrupts, 1) == 1) return false;
            if (Kill(process.Id, 2) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
            return true;
        };

        var events = ProgressLines.Events(await process.StandardError.ReadToEndAsync(Token));
        await process.WaitForExitAsync(Token);

        Assert.Equal(130, process.ExitCode);
        Assert.Equal(130, events[^1].GetProperty("exit_code").GetInt32());
        Assert.Equal("m4.large in us-east-1a", events.OfStep("creating orchestrator")[^1].Text("outcome"));
    }

    [Fact]
    public async Task Plan_JsonProgressOnAConsoleWithAnotherEncoding_IsUtf8()
    {
        await using var session = await Ec2Session.StartAsync();
        var start = StartInfo(session, credentials: false, "plan", "--name", "größe", "--progress", "json");
        start.Environment["LC_ALL"] = "de_DE.ISO-8859-1";
        start.StandardErrorEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        using var process = Process.Start(start)!;

        var error = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);

        Assert.Contains("größe", Assert.Single(ProgressLines.Events(error)).Text("message"), StringComparison.Ordinal);
    }

    private static Process Start(Ec2Session session, bool credentials, params string[] arguments) => Process.Start(StartInfo(session, credentials, arguments))!;

    private static ProcessStartInfo StartInfo(Ec2Session session, bool credentials, params string[] arguments)
    {
        // A child inherits ignored signals, and SIGINT is ignored wherever tests run in the background.
        var start = new ProcessStartInfo("env") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add("--default-signal=INT,TERM");
        start.ArgumentList.Add("dotnet");
        start.ArgumentList.Add(typeof(Lab.Ec2Deployer.Commands.DeployerApp).Assembly.Location);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("AWS_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        // The directory that the session's own deployments use too: "lab" below it.
        start.Environment["XDG_CONFIG_HOME"] = session.Config;
        start.Environment["HOME"] = session.Config;
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        if (credentials)
        {
            start.Environment["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
            start.Environment["AWS_SECRET_ACCESS_KEY"] = "planted-secret-access-key";
            start.ArgumentList.Add("--endpoint-url");
            start.ArgumentList.Add(session.StandIn.Address.AbsoluteUri);
        }

        return start;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}

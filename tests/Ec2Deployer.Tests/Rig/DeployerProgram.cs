using System.Diagnostics;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>What a run of the program came to.</summary>
internal sealed record ProgramRun(int Code, string Output, string Error, TimeSpan Took);

/// <summary>The program as its user runs it, before the stand-in, in a copy of the sources that may be changed.</summary>
/// <param name="rig">What is shared.</param>
/// <param name="ec2">The EC2 that it talks to.</param>
/// <param name="configDirectory">Where it keeps what it knows of deployments.</param>
/// <param name="say">Is told what it says.</param>
internal sealed class DeployerProgram(RigFixture rig, StandIn ec2, string configDirectory, Action<string> say)
{
    /// <summary>What it was given to sign its requests with.</summary>
    public const string SecretAccessKey = "planted-secret-access-key";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A directory whose programs it finds before others of their names, or null.</summary>
    public string? ProgramsBefore { get; set; }

    /// <summary>Runs it to its end.</summary>
    public async Task<ProgramRun> RunAsync(params string[] arguments)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Start(arguments);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        try
        {
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var text = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            var run = new ProgramRun(process.ExitCode, text, await error, Stopwatch.GetElapsedTime(started));
            say($"{string.Join(' ', arguments)}: {run.Code} after {run.Took.TotalSeconds:F1} s\n{run.Error}");
            return run;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Runs it until it says a line that is to be its last, and kills it.</summary>
    /// <param name="isLast">Asked of each line.</param>
    /// <param name="arguments">The command line.</param>
    /// <returns>The exit code: 137 where it was killed.</returns>
    public async Task<int> RunUntilAsync(Func<string, bool> isLast, params string[] arguments)
    {
        using var process = Start(arguments);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            while (await process.StandardError.ReadLineAsync(limit.Token) is { } line)
            {
                say(line);
                if (isLast(line)) process.Kill();
            }

            await process.WaitForExitAsync(limit.Token);
            await output;
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Runs it until EC2 has made a change, and kills it before it hears of that.</summary>
    public async Task<int> RunUntilCallAsync(string action, params string[] arguments)
    {
        using var process = Start(arguments);
        ec2.Options.LoseAnswer = made =>
        {
            if (made != action || process.HasExited) return false;
            process.Kill();
            return true;
        };
        try
        {
            var error = process.StandardError.ReadToEndAsync(Token);
            await process.StandardOutput.ReadToEndAsync(Token);
            await process.WaitForExitAsync(Token).WaitAsync(Patience, Token);
            say(await error);
            return process.ExitCode;
        }
        finally
        {
            ec2.Options.LoseAnswer = null;
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Starts it, with all its streams in the caller's hand.</summary>
    public Process Start(params string[] arguments)
    {
        // It is interrupted as by Ctrl-C, which is ignored wherever tests run in the background of a script.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", rig.Program, .. arguments, "--endpoint-url", ec2.Address.AbsoluteUri])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        if (arguments[0] is "publish" or "scale") start.ArgumentList.Add("--yes");
        if (arguments[0] == "publish")
        {
            foreach (var argument in (string[])["--ssh-from", RigNamespace.OwnAddress, "--http-from", RigNamespace.OwnAddress, "--ssh-user", RigHost.User, "--base-image", BaseImageRegistry.Reference])
                start.ArgumentList.Add(argument);
        }

        SetEnvironment(start);
        return Process.Start(start)!;
    }

    /// <summary>Gives a process the environment in which the program finds the deployment.</summary>
    public void SetEnvironment(ProcessStartInfo start)
    {
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("AWS_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        start.Environment["XDG_CONFIG_HOME"] = configDirectory;
        if (ProgramsBefore is not null) start.Environment["PATH"] = $"{ProgramsBefore}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
        start.Environment["AWS_SECRET_ACCESS_KEY"] = SecretAccessKey;
    }
}

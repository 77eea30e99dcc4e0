using System.CommandLine;
using System.CommandLine.Parsing;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>The program: its commands, how they fail, and what they end with.</summary>
internal static class DeployerApp
{
    private const string About = """
        Puts Lab on EC2: one orchestrator, and two workers on each of the worker hosts.

        'plan' shows what 'publish' does and what it costs; it needs no AWS account. Options that describe the
        deployment are remembered by 'publish' and 'scale': later commands need only --name (or nothing, for 'lab').
        What this machine keeps is in ~/.config/lab/NAME.

        Ends with:  0 done, or nothing to do    3 AWS refused             130 interrupted
                    1 failed                    4 a host failed
                    2 wrong command line        5 another deployer holds the lock
        """;

    /// <summary>Runs a command line.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, CommandEnvironment environment, CancellationToken cancellationToken)
    {
        var parse = Create(environment).Parse(args);
        var json = Settings.IsProgressJson(parse);
        using var progress = environment.ProgressWriter(json);
        var helped = parse.Action is System.CommandLine.Help.HelpAction;
        if (parse.Errors.Count > 0 && !helped)
        {
            // Where a command is misspelt, "no command was given" is said too, and confuses.
            var errors = parse.Errors
                .Where(error => parse.UnmatchedTokens.Count == 0 || error.SymbolResult is not CommandResult { Command: RootCommand } || error.Message.Contains('\''))
                .Select(error => error.Message);
            progress.Error(ExitCode.Usage, string.Join('\n', [.. errors, $"Try '{Path(parse)}--help'."]));
            return (int)ExitCode.Usage;
        }

        try
        {
            var code = await parse.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = environment.Out,
                    Error = environment.Error,
                    EnableDefaultExceptionHandler = false,
                    // Ctrl-C is Program.cs's business: a call under way ends, the next does not begin.
                    ProcessTerminationTimeout = null,
                },
                cancellationToken);
            // People have read it in the results, or what the other program said: a host is not well, the load generator failed.
            if (code != 0 && json) progress.Error((ExitCode)code, $"'{parse.CommandResult.Command.Name}' ended with {code}: its results say why.");
            return code;
        }
        catch (DeploymentException e)
        {
            return Failed(e.Code, e.Message, e.InnerException);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Failed(ExitCode.Interrupted, "Interrupted. What was done stands; run the same command again to go on.");
        }
        catch (Exception e)
        {
            return Failed(ExitCode.Failed, $"Failed by a fault of this program: {e.GetType().Name}: {e.Message}", e);
        }

        int Failed(ExitCode code, string message, Exception? cause = null)
        {
            progress.Error(code, message, parse.GetValue(Settings.Verbose) ? cause?.ToString() : null);
            return (int)code;
        }
    }

    private static RootCommand Create(CommandEnvironment environment) => new(About)
    {
        Settings.Name, Settings.Owner, Settings.Region, Settings.Endpoint, Settings.Json, Settings.Progress, Settings.Verbose,
        PlanCommand.Create(environment),
        PublishCommand.Create(environment),
        StatusCommand.Create(environment),
        ListCommand.Create(environment),
        LogsCommand.Create(environment),
        SshCommand.Create(environment),
        RollbackCommand.Create(environment),
        ScaleCommand.Create(environment),
        BenchCommand.Create(environment),
        HarmCommand.Create(environment),
        UnlockCommand.Create(environment),
        StateCommand.Create(environment),
        DestroyCommand.Create(environment),
        IamCommand.Create(environment),
    };

    private static string Path(ParseResult parse) =>
        parse.CommandResult.Command is RootCommand ? "" : $"{parse.CommandResult.Command.Name} ";
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>The program: its commands, how they fail, and what they end with.</summary>
internal static partial class DeployerApp
{
    private const string About = """
        Puts Lab on EC2: one orchestrator or three, and two workers on each of the worker hosts.

        From nothing to a running cluster and back to nothing: plan, publish, status, bench, destroy.
        Hosts cost money from 'publish' until 'destroy' or --ttl ends them, used or not; of stopped ones only the disks do.

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
        // Everything reads the same in every locale: a Thai one would count years from Buddha's birth, a Persian one write other
        // signs between digits, and System.CommandLine translate the half of the help texts. It holds for what is called from here.
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        var parse = Create(environment).Parse(args);
        var json = Settings.IsProgressJson(parse);
        using var progress = environment.ProgressWriter(json);
        var helped = parse.Action is System.CommandLine.Help.HelpAction;
        if (parse.Errors.Count > 0 && !helped)
        {
            // Where a command is misspelt, "no command was given" is said too, and confuses.
            var errors = parse.Errors
                .Where(error => parse.UnmatchedTokens.Count == 0 || error.SymbolResult is not CommandResult { Command: RootCommand } || error.Message.Contains('\''))
                .Select(error => NoNumber().Replace(error.Message, "${option} '${value}': a whole number is asked for."));
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
            return Failed(e.Code, e.Message, e.InnerException, WhatRuns.Of(e));
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            return Failed(ExitCode.Interrupted, "Interrupted. What was done stands; run the same command again to go on.", running: WhatRuns.Of(e));
        }
        catch (Exception e)
        {
            return Failed(ExitCode.Failed, $"Failed by a fault of this program: {e.GetType().Name}: {e.Message}", e, WhatRuns.Of(e));
        }

        int Failed(ExitCode code, string message, Exception? cause = null, string? running = null)
        {
            progress.Error(code, running is null ? message : $"{message}\n{running}", parse.GetValue(Settings.Verbose) ? cause?.ToString() : null);
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
        DashboardCommand.Create(environment),
        SshCommand.Create(environment),
        RollbackCommand.Create(environment),
        ScaleCommand.Create(environment),
        BenchCommand.Create(environment),
        HarmCommand.Create(environment),
        UnlockCommand.Create(environment),
        StateCommand.Create(environment),
        TtlCommand.Create(environment),
        StopCommand.Create(environment),
        StartCommand.Create(environment),
        DestroyCommand.Create(environment),
        IamCommand.Create(environment),
    };

    private static string Path(ParseResult parse) =>
        parse.CommandResult.Command is RootCommand ? "" : $"{parse.CommandResult.Command.Name} ";

    // System.CommandLine names a type of .NET's.
    [GeneratedRegex(@"^Cannot parse argument '(?<value>.*)' for option '(?<option>.*)' as expected type 'System\.Int32'\.")]
    private static partial Regex NoNumber();
}

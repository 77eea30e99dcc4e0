using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Lab.Bench.Dispatch;
using Lab.Bench.Dispatch.Ablations;
using Lab.Bench.Inference;

namespace Lab.Bench.Commands;

/// <summary>The program: its commands, how they fail, and what they end with.</summary>
internal static class BenchApp
{
    private const string About = """
        Measures Lab: its load generator, and comparisons side by side with its peers.

        'run' without any option sends the lab's five simultaneous requests, four times, to http://localhost:8080,
        prints what it measured and writes a report that opens in every browser.

        Ends with:  0 every request answered, none wrongly    4 no orchestrator (or no worker) can be reached
                    1 failed                                  5 some requests were refused or could not be sent
                    2 wrong command line or API key           130 interrupted; what was measured is reported
                    3 an answer was wrong, or lost
        """;

    /// <summary>Runs a command line.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, Surroundings surroundings, CancellationToken interrupted)
    {
        // Reports and messages read the same in every locale.
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        var parse = Create(surroundings).Parse(args);
        if (parse.Errors.Count > 0 && parse.Action is not System.CommandLine.Help.HelpAction)
        {
            // Where a command is misspelt, "no command was given" is said too, and confuses.
            foreach (var error in parse.Errors.Where(error => parse.UnmatchedTokens.Count == 0 || error.SymbolResult is not CommandResult { Command: RootCommand } || error.Message.Contains('\'')))
                surroundings.Error.WriteLine(error.Message);
            surroundings.Error.WriteLine("Try '--help'.");
            return (int)ExitCode.Usage;
        }

        try
        {
            return await parse.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = surroundings.Out,
                    Error = surroundings.Error,
                    EnableDefaultExceptionHandler = false,
                    // Ctrl-C is Program.cs's business: an interrupted run is still reported.
                    ProcessTerminationTimeout = null,
                },
                interrupted);
        }
        catch (BenchException e)
        {
            surroundings.Error.WriteLine(e.Message);
            return (int)e.Code;
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            surroundings.Error.WriteLine("Interrupted; there is nothing to report.");
            return (int)ExitCode.Interrupted;
        }
        catch (Exception e)
        {
            surroundings.Error.WriteLine($"Failed: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
            return (int)ExitCode.Failed;
        }
    }

    private static RootCommand Create(Surroundings surroundings) => new(About)
    {
        RunCommand.Create(surroundings),
        ScaleCommand.Create(surroundings),
        FaultsCommand.Create(surroundings),
        SoakCommand.Create(surroundings),
        PeersCommand.Create(surroundings),
        SharedCommand.Create(surroundings),
        DispatchCommand.Create(),
        ScalingCommand.Create(),
        TelemetryCommand.Create(),
        InferenceCommand.Create(),
        AblatedOrchestrator.CreateCommand(),
        StubWorkers.CreateCommand(),
        YarpProxy.CreateCommand(),
    };
}

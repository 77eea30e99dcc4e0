using System.CommandLine;
using Lab.Bench.Dispatch;
using Lab.Bench.Load;
using Lab.Bench.Machine;
using Lab.Bench.Peers;

namespace Lab.Bench.Commands;

/// <summary><c>peers</c>: all comparisons in one run, taking turns, as Markdown.</summary>
internal static class PeersCommand
{
    private const string BundledModel = "minilm-sst2";

    public static Command Create(Surroundings surroundings)
    {
        var rounds = Settings.Positive<int>("--rounds", "Turns for each; the tables show medians and spread.", 5, 1000);
        var seconds = Settings.Positive<int>("--seconds", "Length of a turn.", 5, 3600);
        var connections = Settings.Positive<int>("--connections", "Connections of wrk.", 64, 10_000);
        var model = new Option<string?>("--model") { Description = "The model directory for the comparison with real models. Default: the bundled one.", HelpName = "DIR" };
        var worker = new Option<string?>("--worker") { Description = "Worker.dll. Default: this solution's, of the same configuration as this program.", HelpName = "FILE" };
        var command = new Command("peers", "Lab against YARP, nginx, HAProxy, and gunicorn with Flask and PyTorch, whichever are installed, in one run and in turn; prints Markdown (needs wrk).")
        {
            rounds, seconds, connections, model, worker,
        };
        command.SetAction(async (parse, interrupted) =>
        {
            var (program, models) = Find(parse.GetValue(worker), parse.GetValue(model));
            await RequireWrkAsync();
            var turns = new Turns(parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(connections));
            await RunAsync(turns, new(models, program), Path.GetFileName(models), surroundings.Out, CommandLine.Text(parse), interrupted);
            return (int)ExitCode.AllAnswered;
        });
        return command;
    }

    /// <summary>The worker's program and the model's directory, where they are not named this solution's.</summary>
    /// <exception cref="BenchException">One of them is not there.</exception>
    internal static (string Program, string Model) Find(string? worker, string? model)
    {
        var program = Path.GetFullPath(worker ?? FindWorker());
        if (!File.Exists(program)) throw new BenchException(ExitCode.Usage, $"There is no {program}: dotnet build -c Release Worker, or name another with --worker.");
        var directory = Path.GetFullPath(model ?? Path.Combine(Path.GetDirectoryName(program)!, "Models", BundledModel));
        if (!File.Exists(Path.Combine(directory, "config.json"))) throw new BenchException(ExitCode.Usage, $"{directory} is no model directory: it has no config.json.");
        return (program, directory);
    }

    private static async Task RunAsync(Turns turns, InferencePeers models, string modelName, TextWriter output, string commandLine, CancellationToken interrupted)
    {
        var home = Directory.CreateTempSubdirectory("lab-bench-");
        var children = new List<Child>();
        try
        {
            var dispatch = Path.Combine(home.FullName, "dispatch.lua");
            await File.WriteAllTextAsync(dispatch, DispatchPeers.Script, interrupted);
            var inference = Path.Combine(home.FullName, "inference.lua");
            await File.WriteAllTextAsync(inference, InferencePeers.Script(Enumerable.Range(0, 20).Select(i => TextSource.BuiltIn().Next(i).Value)), interrupted);
            Console.Error.WriteLine("Starting everybody …");
            var dispatchers = await DispatchPeers.StartAsync(home.FullName, children);
            var services = await models.StartAsync(home.FullName, children, interrupted);
            await turns.RunAsync([(dispatchers, dispatch), (services, inference)], interrupted);
            await output.WriteLineAsync($"""
                Made by `{commandLine}` on {MachineDescription.OfThis()}: {turns.Connections} connections, {turns.Rounds} × {turns.Seconds} s each in turn, medians [least – most].

                {Turns.Table($"before {DispatchPeers.WorkerCount} stub workers", dispatchers)}

                {Turns.Table($"with the model {modelName}", services)}
                """);
        }
        finally
        {
            foreach (var child in children) await child.DisposeAsync();
            home.Delete(recursive: true);
        }
    }

    // wrk has no option that only tells its version with success: 1 is how it ends with --version.
    internal static async Task RequireWrkAsync()
    {
        try
        {
            await Child.RunAsync("wrk", "--version");
        }
        catch (InvalidOperationException)
        {
            // It is there.
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new BenchException(ExitCode.Failed, "wrk is not installed, and makes the load here (Debian: apt-get install wrk).", e);
        }
    }

    private static string FindWorker()
    {
        var configuration = MachineDescription.OfThis().Build;
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Lab.sln")))
                return Path.Combine(directory.FullName, "Worker", "bin", configuration, "net10.0", "Worker.dll");
        }

        throw new BenchException(ExitCode.Usage, "This program is not in its solution: name Worker.dll with --worker.");
    }
}

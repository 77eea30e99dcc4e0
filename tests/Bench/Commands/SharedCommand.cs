using System.CommandLine;
using Lab.Bench.Load;
using Lab.Bench.Machine;
using Lab.Bench.Peers;

namespace Lab.Bench.Commands;

/// <summary><c>shared</c>: what it costs that several orchestrators use the same workers.</summary>
internal static class SharedCommand
{
    public static Command Create(Surroundings surroundings)
    {
        var rounds = Settings.Positive<int>("--rounds", "Turns for each; the tables show medians and spread.", 7, 1000);
        var seconds = Settings.Positive<int>("--seconds", "Length of a turn.", 5, 3600);
        var connections = Settings.Positive<int>("--connections", "Connections of wrk, a third of them to each orchestrator.", 64, 10_000);
        var model = new Option<string?>("--model") { Description = "The model directory. Default: the bundled one.", HelpName = "DIR" };
        var worker = new Option<string?>("--worker") { Description = "Worker.dll. Default: this solution's, of the same configuration as this program.", HelpName = "FILE" };
        var command = new Command("shared", $"One orchestrator and {SharedFleet.Several} of them before the same eight real workers, in turn; prints Markdown (needs wrk).")
        {
            rounds, seconds, connections, model, worker,
        };
        command.SetAction(async (parse, interrupted) =>
        {
            var (program, models) = PeersCommand.Find(parse.GetValue(worker), parse.GetValue(model));
            await PeersCommand.RequireWrkAsync();
            var home = Directory.CreateTempSubdirectory("lab-bench-");
            try
            {
                var fleet = new SharedFleet(models, program, parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(connections));
                var tables = await fleet.RunAsync(home.FullName, Enumerable.Range(0, 20).Select(i => TextSource.BuiltIn().Next(i).Value), interrupted);
                await surroundings.Out.WriteLineAsync($"""
                    Made by `{CommandLine.Text(parse)}` on {MachineDescription.OfThis()}: {parse.GetValue(rounds)} × {parse.GetValue(seconds)} s each in turn, medians [least – most].

                    {tables}
                    """);
            }
            finally
            {
                home.Delete(recursive: true);
            }

            return (int)ExitCode.AllAnswered;
        });
        return command;
    }
}

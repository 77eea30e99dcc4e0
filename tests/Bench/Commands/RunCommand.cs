using System.CommandLine;
using Lab.Bench.Load;
using Lab.Bench.Recording;
using Lab.Bench.Reporting;
using Lab.Bench.Running;

namespace Lab.Bench.Commands;

/// <summary><c>run</c>: load on an orchestrator, and a report of it.</summary>
internal static class RunCommand
{
    // Enough that each worker has a queue behind it, whatever the batch.
    private const int BurstPerWorker = 16;

    public static Command Create(Surroundings surroundings)
    {
        var settings = new Settings();
        var load = new LoadOptions();
        var noBurst = new Option<bool>("--no-burst") { Description = "Where nobody had to wait, do not send a burst afterwards to show the queue." };
        var command = new Command("run", "Send requests to an orchestrator and report what came of them.");
        load.AddTo(command);
        command.Add(noBurst);
        settings.AddTo(command);
        command.SetAction(async (parse, interrupted) =>
        {
            var target = settings.Target(parse);
            var texts = settings.Texts(parse);
            var screen = new Screen(surroundings.Out, surroundings.OutIsTerminal);
            using var session = new RunSession(target, surroundings.Time);
            // Nothing is left behind by a run that cannot begin.
            await session.Cluster.GetWorkersAsync(interrupted);
            var directory = settings.OutputDirectory(parse, surroundings.Time);
            var result = await session.RunAsync(load.Plan(parse), texts, parse.GetValue(settings.Warmup), screen.View(), interrupted);
            RunResult? burst = null;
            if (result.Recording is { DeepestQueue: 0, Answered: > 0 } && !parse.GetValue(noBurst) && directory is not null && !interrupted.IsCancellationRequested)
                burst = await session.RunAsync(new RoundsPlan(BurstPerWorker * result.WorkersAlive, 1), texts, 0, screen.View(), interrupted);
            screen.Show(result);
            screen.Show(result.Recording.Incidents, most: 10);
            if (burst is not null)
            {
                screen.Line();
                screen.Line($"The queue, in a burst of {Numbers.Count(burst.Recording.Sent)} at once afterwards: {string.Join(' ', Findings.Queue(burst))}");
            }

            ReportFiles.Write(new(CommandLine.Text(parse), result, burst), directory, screen);
            if (Price.Sentence(Environment.GetEnvironmentVariable(Price.Variable), result.Recording.Throughput) is { } price) screen.Line(price);
            return (int)(interrupted.IsCancellationRequested ? ExitCode.Interrupted : result.Recording.Verdict);
        });
        return command;
    }
}

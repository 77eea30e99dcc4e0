using System.CommandLine;
using System.Globalization;
using Lab.Bench.Load;
using Lab.Bench.Recording;
using Lab.Bench.Reporting;
using Lab.Bench.Running;

namespace Lab.Bench.Commands;

/// <summary><c>scale</c>: the same load on more and more workers, the others being drained meanwhile.</summary>
internal static class ScaleCommand
{
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(1);

    public static Command Create(Surroundings surroundings)
    {
        var settings = new Settings();
        var steps = new Option<int[]>("--workers")
        {
            Description = "How many workers work, in turn, such as 1,2,4,8. Default: 1, 2, 4, 8 and so on, and all.",
            HelpName = "N,N",
            CustomParser = result =>
            {
                var numbers = result.Tokens[0].Value.Split(',').Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).ToArray();
                if (numbers.All(number => number > 0)) return [.. numbers.Distinct().Order()];
                result.AddError($"--workers: '{result.Tokens[0].Value}' is no list of numbers such as 1,2,4,8.");
                return [];
            },
        };
        var clients = Settings.Positive<int>("--clients", "Clients of the closed loop: enough to keep all workers at work.", 64, 100_000);
        var duration = Settings.Duration("--duration", "Length of one turn.", TimeSpan.FromSeconds(5));
        var turns = Settings.Positive<int>("--turns", "Turns for each number of workers, taken in turn; medians are told.", 3, 1000);
        var command = new Command("scale", "Repeat a load with 1, 2, 4, 8 workers and report speed-up and efficiency. Drains and resumes workers: needs an admin key where keys are set.");
        foreach (var option in (Option[])[steps, clients, duration, turns]) command.Add(option);
        settings.AddTo(command);
        command.SetAction(async (parse, interrupted) =>
        {
            var target = settings.Target(parse);
            var texts = settings.Texts(parse);
            var screen = new Screen(surroundings.Out, surroundings.OutIsTerminal);
            using var session = new RunSession(target, surroundings.Time);
            await using var fleet = await FleetSize.TakeAsync(session.Cluster, surroundings.Error, interrupted);
            var sizes = Sizes(parse.GetValue(steps), fleet.Names.Count);
            var directory = settings.OutputDirectory(parse, surroundings.Time);
            var plan = new ClosedPlan(parse.GetValue(clients), parse.GetValue(duration));
            var runs = sizes.ToDictionary(size => size, _ => new List<RunResult>());
            try
            {
                await session.RunAsync(plan with { Duration = Warmup }, texts, parse.GetValue(settings.Warmup), screen.View(), interrupted);
                for (var turn = 1; turn <= parse.GetValue(turns); turn++)
                {
                    foreach (var size in sizes)
                    {
                        await fleet.SetAsync(size, interrupted);
                        screen.Line($"Turn {turn} of {parse.GetValue(turns)}: {Numbers.Of(size, "worker")}");
                        var result = await session.RunAsync(plan, texts, 0, screen.View(), interrupted);
                        interrupted.ThrowIfCancellationRequested();
                        runs[size].Add(result);
                        screen.Line($"  {Numbers.Rate(result.Recording.Throughput)} requests/s, p50 {Numbers.Ms(result.Recording.Total.P50)} ms, p99 {Numbers.Ms(result.Recording.Total.P99)} ms");
                    }
                }
            }
            catch (OperationCanceledException) when (interrupted.IsCancellationRequested && runs.Values.All(turnsOf => turnsOf.Count > 0))
            {
                screen.Warn("Interrupted: the turns that were finished are told.");
            }

            await fleet.DisposeAsync();
            screen.Line(fleet.IsRestored ? "All workers work again." : "");
            var scale = Summarize(runs, plan, runs.Values.Min(turnsOf => turnsOf.Count));
            var all = runs.Values.SelectMany(turnsOf => turnsOf).ToList();
            var last = runs[sizes[^1]][^1];
            screen.Line();
            screen.Table(ScaleSection.Heads, ScaleSection.Rows(scale));
            screen.Line();
            screen.Line(ScaleSection.Explain(scale, last));
            foreach (var warning in last.Warnings()) screen.Warn(warning);
            foreach (var run in all) screen.Show(run.Recording.Incidents, most: 5);
            ReportFiles.Write(new(CommandLine.Text(parse), last, Scale: scale), directory, screen);
            var verdict = all.Any(run => run.Recording.Verdict is ExitCode.WrongOrLost) ? ExitCode.WrongOrLost
                : all.Any(run => run.Recording.Verdict is ExitCode.Refused) ? ExitCode.Refused : ExitCode.AllAnswered;
            return (int)(interrupted.IsCancellationRequested ? ExitCode.Interrupted : verdict);
        });
        return command;
    }

    private static int[] Sizes(int[]? wished, int workers)
    {
        if (wished is null or []) return [.. Enumerable.Range(0, 31).Select(power => 1 << power).Where(size => size < workers), workers];
        return wished[^1] <= workers ? wished
            : throw new BenchException(ExitCode.Usage, $"There are {Numbers.Of(workers, "worker")} at work: {wished[^1]} cannot be.");
    }

    private static ScaleResult Summarize(Dictionary<int, List<RunResult>> runs, ClosedPlan plan, int turns)
    {
        var fewest = runs.Keys.Min();
        var reference = Median(runs[fewest], run => run.Recording.Throughput);
        return new([.. runs.OrderBy(size => size.Key).Select(size =>
        {
            var throughput = Median(size.Value, run => run.Recording.Throughput);
            var speedUp = reference > 0 ? throughput / reference : 0;
            return new ScalePoint(
                size.Key, throughput, size.Value.Min(run => run.Recording.Throughput), size.Value.Max(run => run.Recording.Throughput),
                Median(size.Value, run => run.Recording.Total.P50), Median(size.Value, run => run.Recording.Total.P99),
                speedUp, speedUp / ((double)size.Key / fewest), Median(size.Value, run => run.GeneratorShare), size.Value[0].MachineShare);
        })], plan.Describe(), turns);

        static double Median(List<RunResult> results, Func<RunResult, double> value)
        {
            var sorted = results.Select(value).Order().ToList();
            return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
        }
    }
}

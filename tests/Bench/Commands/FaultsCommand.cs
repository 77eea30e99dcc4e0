using System.CommandLine;
using Lab.Bench.Faults;
using Lab.Bench.Load;
using Lab.Bench.Reporting;
using Lab.Bench.Running;

namespace Lab.Bench.Commands;

/// <summary><c>faults</c>: workers are killed, frozen and slowed during a load, and no request may be lost.</summary>
internal static class FaultsCommand
{
    private const int UsualClients = 32;

    // A longer list of texts is not learnt to its end: it would take longer than the run.
    private const int MostLearnt = 200;

    // Nearer to a tie the company in a batch may decide the label of an 8-bit model.
    private const double Clear = 0.6;

    private static readonly string[] Kinds = [FaultOptions.Kill, FaultOptions.FreezeKind, FaultOptions.Slow];

    public static Command Create(Surroundings surroundings)
    {
        var settings = new Settings();
        var load = new LoadOptions();
        var kinds = new Option<string[]>("--harm")
        {
            Description = $"What to do to workers, in turn: {string.Join(',', Kinds)} (default all three).",
            HelpName = "KIND,KIND",
            DefaultValueFactory = _ => Kinds,
            CustomParser = result =>
            {
                var wished = result.Tokens[0].Value.Split(',');
                if (wished.All(Kinds.Contains)) return wished;
                result.AddError($"--harm: '{result.Tokens[0].Value}' is not made of {string.Join(", ", Kinds)}.");
                return [];
            },
        };
        var pause = Settings.Duration("--pause", "Between one harm and the next.", TimeSpan.FromSeconds(1));
        var freeze = Settings.Duration("--freeze", "How long a worker is frozen or slowed.", TimeSpan.FromSeconds(3));
        var program = new Option<IReadOnlyList<string>?>("--harm-with")
        {
            Description = "A program that harms workers which are not on this machine: called as PROGRAM kill|freeze|slow|thaw NAME HOST PORT. With arguments of its own: a list in JSON.",
            HelpName = "PROGRAM",
            CustomParser = result =>
            {
                if (ProgramHarm.Read(result.Tokens[0].Value) is { } words) return words;
                result.AddError($"--harm-with: '{result.Tokens[0].Value}' is neither a program nor a list in JSON of a program and its arguments.");
                return null;
            },
        };
        var command = new Command("faults", $"Kill, freeze and slow workers during a load (default: {UsualClients} clients for 30s), and say whether any request was lost. Workers must be this user's, on this machine; AppHost starts killed ones again.");
        load.AddTo(command);
        foreach (var option in (Option[])[kinds, pause, freeze, program]) command.Add(option);
        settings.AddTo(command);
        command.SetAction(async (parse, interrupted) =>
        {
            var target = settings.Target(parse);
            var texts = settings.Texts(parse);
            var screen = new Screen(surroundings.Out, surroundings.OutIsTerminal);
            using var session = new RunSession(target, surroundings.Time);
            IWorkerHarm harm = parse.GetValue(program) is { } words ? new ProgramHarm(words, surroundings.Time) : new LocalHarm(surroundings.Time);
            var schedule = new FaultSchedule(harm, session.Cluster,
                new(parse.GetValue(kinds)!, parse.GetValue(pause), parse.GetValue(freeze), Environment.TickCount),
                message => { if (screen.IsPlain) screen.Line($"  harm: {message}"); }, surroundings.Time);
            var workers = await schedule.PlacesAsync(interrupted);
            if (workers.Count < 2) throw new BenchException(ExitCode.CannotReach, $"There must be at least two workers at work, so that one can take over: there {(workers.Count == 1 ? "is one" : "is none")}.");
            if (workers.Select(harm.WhyNot).FirstOrDefault(reason => reason is not null) is { } whyNot)
                throw new BenchException(ExitCode.Failed, $"{whyNot} Another program can do the harm: --harm-with.");
            var directory = settings.OutputDirectory(parse, surroundings.Time);
            if (parse.GetValue(settings.Expect) is null && !parse.GetValue(settings.Random)) texts = await LearnAsync(session, texts, interrupted);
            var result = await session.RunAsync(load.Plan(parse, new ClosedPlan(UsualClients, LoadOptions.UsualDuration)), texts, parse.GetValue(settings.Warmup), screen.View(), interrupted, schedule.RunAsync);
            var faults = await schedule.FinishAsync(CancellationToken.None);
            screen.Show(result);
            screen.Line();
            screen.Table(FaultsSection.Heads, FaultsSection.Rows(faults));
            screen.Line();
            var good = result.Recording.Verdict is not ExitCode.WrongOrLost && faults.NotBack.Count == 0;
            screen.Verdict(FaultsSection.Verdict(faults, result), good);
            screen.Show(result.Recording.Incidents, most: 50);
            ReportFiles.Write(new(CommandLine.Text(parse), result, Faults: faults), directory, screen);
            return (int)(interrupted.IsCancellationRequested ? ExitCode.Interrupted : faults.NotBack.Count > 0 ? ExitCode.Failed : result.Recording.Verdict);
        });
        return command;
    }

    // Asked while all is well, so that an answer that harm has spoilt is noticed.
    private static async Task<TextSource> LearnAsync(RunSession session, TextSource texts, CancellationToken cancellation)
    {
        var learnt = new List<Text>();
        for (var i = 0; i < MostLearnt && (i == 0 || texts.Next(i) != texts.Next(0)); i++)
        {
            var text = texts.Next(i);
            var answer = await session.Cluster.AskAsync(text, cancellation);
            var known = answer is null ? null : KnownAnswer.Parse(answer);
            learnt.Add(known is { Probabilities: { } probabilities } && probabilities.Max() > Clear ? new Text(text.Value) { Known = known } : text);
        }

        return TextSource.Of(learnt, $"{texts.Description}, each answer compared with the one from before the harm");
    }
}

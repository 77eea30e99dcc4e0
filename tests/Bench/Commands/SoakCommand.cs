using System.CommandLine;
using System.Globalization;
using Lab.Bench.Load;
using Lab.Bench.Reporting;
using Lab.Bench.Running;
using Lab.Bench.Soak;

namespace Lab.Bench.Commands;

/// <summary><c>soak</c>: a long load, and whether the memory of any process grows.</summary>
internal static class SoakCommand
{
    private const double UsualRate = 50;
    private const int MostOutstanding = 4096;

    private static readonly TimeSpan UsualDuration = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan WorkerPatience = TimeSpan.FromSeconds(5);

    public static Command Create(Surroundings surroundings)
    {
        var settings = new Settings();
        var load = new LoadOptions();
        var every = Settings.Duration("--every", "How often memory is read.", TimeSpan.FromSeconds(10));
        var process = new Option<(string Name, int Id)[]>("--process")
        {
            Description = "Watch a further process of this machine, such as AppHost's. May be given several times.",
            HelpName = "NAME=PID",
            DefaultValueFactory = _ => [],
            CustomParser = result => [.. result.Tokens.Select(token =>
            {
                if (token.Value.Split('=') is [{ Length: > 0 } name, var text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return (name, id);
                result.AddError($"--process: '{token.Value}' is no name and process id: write apphost=1234.");
                return ("", 0);
            })],
        };
        var command = new Command("soak", $"A long load (default: {UsualRate} requests/s for {Durations.Text(UsualDuration)}), and whether the memory of any process of the cluster grows meanwhile.");
        load.AddTo(command);
        command.Add(every);
        command.Add(process);
        settings.AddTo(command);
        command.SetAction(async (parse, interrupted) =>
        {
            var target = settings.Target(parse);
            var texts = settings.Texts(parse);
            var screen = new Screen(surroundings.Out, surroundings.OutIsTerminal);
            using var session = new RunSession(target, surroundings.Time);
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = WorkerPatience };
            var watch = new MemoryWatch(session.Cluster, http, parse.GetValue(process)!, parse.GetValue(every), surroundings.Time);
            await watch.FindAsync(interrupted);
            var directory = settings.OutputDirectory(parse, surroundings.Time);
            var result = await session.RunAsync(
                load.Plan(parse, new OpenPlan(UsualRate, UsualDuration, MostOutstanding)), texts, parse.GetValue(settings.Warmup), screen.View(), interrupted, watch.RunAsync);
            var soak = watch.Result();
            screen.Show(result);
            screen.Line();
            screen.Table(SoakSection.Heads, SoakSection.Rows(soak));
            screen.Line();
            screen.Verdict(SoakSection.Verdict(soak), soak.IsFlat);
            screen.Show(result.Recording.Incidents, most: 50);
            ReportFiles.Write(new(CommandLine.Text(parse), result, Soak: soak), directory, screen);
            return (int)(interrupted.IsCancellationRequested ? ExitCode.Interrupted
                : result.Recording.Verdict is not ExitCode.AllAnswered ? result.Recording.Verdict
                : soak.IsFlat ? ExitCode.AllAnswered : ExitCode.Failed);
        });
        return command;
    }
}

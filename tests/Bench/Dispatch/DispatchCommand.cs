using System.CommandLine;
using System.Runtime.InteropServices;
using Lab.Bench.Dispatch.Ablations;
using Lab.Bench.Peers;

namespace Lab.Bench.Dispatch;

/// <summary>
/// Our orchestrator against plain proxies before the same stub workers, in one run, taking turns, so that whatever
/// else the machine does falls on all alike.
/// </summary>
internal static class DispatchCommand
{
    public const int WorkerCount = DispatchPeers.WorkerCount;

    public static Command Create()
    {
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Turns for each; the table shows medians." };
        var seconds = new Option<int>("--seconds") { DefaultValueFactory = _ => 5, Description = "Length of a turn." };
        var connections = new Option<int>("--connections") { DefaultValueFactory = _ => 64, Description = "Connections of wrk." };
        var ablations = new Option<bool>("--ablations") { Description = "The orchestrator beside itself with libraries in the place of its own HTTP client, JSON and so on." };
        var command = new Command("dispatch", "Orchestrator against YARP, nginx and HAProxy before eight stub workers (needs wrk; nginx and haproxy where installed).")
        {
            rounds, seconds, connections, ablations,
        };
        command.SetAction((parse, cancellation) => RunAsync(new(parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(connections)), parse.GetValue(ablations), cancellation));
        return command;
    }

    private static async Task RunAsync(Turns turns, bool ablations, CancellationToken cancellation)
    {
        var home = Directory.CreateTempSubdirectory("lab-bench-");
        var script = Path.Combine(home.FullName, "dispatch.lua");
        await File.WriteAllTextAsync(script, DispatchPeers.Script, cancellation);
        var children = new List<Child>();
        try
        {
            var subjects = ablations ? await AblationPeers.StartAsync(home.FullName, children) : await DispatchPeers.StartAsync(home.FullName, children);
            await turns.RunAsync([(subjects, script)], cancellation);
            Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores, {turns.Connections} connections, {turns.Rounds} × {turns.Seconds} s each in turn, medians [least – most]");
            Console.WriteLine();
            Console.WriteLine(ablations ? AblationPeers.Table(subjects) : Turns.Table("before 8 stub workers", subjects));
        }
        finally
        {
            foreach (var child in children) await child.DisposeAsync();
            home.Delete(recursive: true);
        }
    }
}

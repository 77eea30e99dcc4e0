using System.Globalization;
using System.Runtime.InteropServices;
using Lab.AppHost.LocalHost.Processes;

namespace Lab.AppHost.LocalHost;

/// <summary>
/// The second process of the AppHost, for the day on which the first is killed with SIGKILL and can end nobody. It is told over
/// its standard input which services run; when that input ends it ends those that still do.
/// </summary>
internal static class Watchdog
{
    /// <summary>The only argument of an AppHost that is to be the watchdog.</summary>
    public const string Argument = "--localhost-watchdog";

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Watches until the input ends, and cleans up.</summary>
    /// <param name="input">Lines <c>+ID STARTED</c> and <c>-ID STARTED</c>.</param>
    /// <returns>The exit code.</returns>
    public static int Run(TextReader input)
    {
        // A Ctrl-C goes to the whole process group; only the end of the input may end this process.
        var deaf = new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP }
            .Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = true))
            .ToList();
        var watched = new HashSet<ProcessIdentity>();
        while (input.ReadLine() is { Length: > 1 } line)
        {
            var one = Parse(line.AsSpan(1));
            _ = line[0] == '+' ? watched.Add(one) : watched.Remove(one);
        }

        var left = watched.Where(one => one.IsAlive).ToList();
        if (left.Count > 0)
        {
            Console.Error.WriteLine($"AppHost has gone without stopping its services; stopping the {left.Count} that are left.");
            Termination.EndAsync(left, Grace, TimeProvider.System, CancellationToken.None).GetAwaiter().GetResult();
        }

        deaf.ForEach(registration => registration.Dispose());
        return 0;
    }

    public static string Tell(char sign, ProcessIdentity one)
        => string.Create(CultureInfo.InvariantCulture, $"{sign}{one.Id} {one.Started}");

    private static ProcessIdentity Parse(ReadOnlySpan<char> text)
    {
        var space = text.IndexOf(' ');
        return new ProcessIdentity(
            int.Parse(text[..space], CultureInfo.InvariantCulture),
            long.Parse(text[(space + 1)..], CultureInfo.InvariantCulture));
    }
}

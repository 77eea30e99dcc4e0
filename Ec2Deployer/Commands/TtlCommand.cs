using System.CommandLine;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>ttl</c>: when hosts that exist end by themselves: set, put off, or taken off.</summary>
internal static class TtlCommand
{
    private const string Never = "never";

    private static readonly Argument<string> Life = new("time") { Description = "4h: so long from now; +2h: so much later than set; never. From 10m to 30d from now." };
    private static readonly Argument<string[]> Names = new("host") { Description = "orchestrator, host-1, … [default: all]", Arity = ArgumentArity.ZeroOrMore };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("ttl", "Set when the hosts end by themselves, stopped ones too; put that off, or take it off. 'status' shows it.") { Life, Names };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var (text, names) = (parse.GetValue(Life)!, parse.GetValue(Names) ?? []);
        var isLater = text.StartsWith('+');
        var life = text == Never ? null : Durations.Parse(isLater ? text[1..] : text) is { } duration && duration > TimeSpan.Zero ? duration : (TimeSpan?)TimeSpan.Zero;
        if (life == TimeSpan.Zero) throw new DeploymentException(ExitCode.Usage, $"ttl '{text}': a duration is asked for, such as 45m, 4h or 1d12h; +2h for so much later than set; or never.");
        if (!isLater) Check(text, life);

        var found = await context.FindAnyAsync(cancellationToken);
        var instances = Chosen(found, names);
        var now = context.Time.GetUtcNow();
        DateTimeOffset? end = life is not { } asked ? null : HostEnd.WholeMinute(isLater ? Present(instances, text) + asked : now + asked);
        if (end is { } moment && isLater) Check(text, moment - now);

        var deployment = await context.DeploymentAsync(cancellationToken);
        context.BeginChanges(deployment, found);
        var problems = await new TtlOperation(deployment, context.Fleet).RunAsync(
            context.Options, context.Release, found, instances, end, isLater ? null : life, context.Progress, cancellationToken);
        // For hosts that come later, where nothing else tells them.
        if (names.Length == 0 && !isLater) Remember(context, life);
        context.EndChanges();
        var cost = RunningCost.Of(context.Options, [.. found.Instances.Where(instance => instances.Contains(instance) && !problems.ContainsKey(instance.Host))], []);
        var untilEnd = end is { } over ? cost.HourlyUsd * Math.Max(0, (decimal)(over - now).TotalHours) : null;
        if (problems.Count < instances.Count)
            context.Progress.Note($"They cost {Money.PerHour(cost, context.Options.Region)}{(untilEnd is null ? "" : $", {Money.Sum(untilEnd)} until then")}{(end is null ? ", until 'stop' or 'destroy'" : "")}.");
        context.Progress.Dispose();
        Write(context, instances, end, problems, cost, untilEnd);
        return problems.Count == 0 ? ExitCode.Done : ExitCode.HostFailed;
    }

    private static void Check(string text, TimeSpan? life)
    {
        if (life < HostEnd.Minimum || life > HostEnd.Maximum)
            throw new DeploymentException(ExitCode.Usage, $"ttl {text}: from {Durations.Text(HostEnd.Minimum)} to {Durations.Text(HostEnd.Maximum)} from now.");
    }

    private static List<ObservedInstance> Chosen(DeploymentSnapshot found, string[] names)
    {
        var hosts = found.Instances.Select(instance => instance.Host).ToHashSet();
        if (names.FirstOrDefault(name => !hosts.Contains(name)) is { } unknown)
            throw new DeploymentException(ExitCode.Usage, $"There is no host '{unknown}'. There are {string.Join(", ", hosts.Order(StringComparer.Ordinal))}.");
        if (hosts.Count == 0) throw new DeploymentException(ExitCode.Failed, "There are no hosts whose end could be set: 'publish' makes them.");
        return [.. found.Instances.Where(instance => names.Length == 0 || names.Contains(instance.Host))];
    }

    private static DateTimeOffset Present(List<ObservedInstance> instances, string text) => instances.Max(HostEnd.Of)
        ?? throw new DeploymentException(ExitCode.Usage, $"ttl {text}: there is no end yet that could be put off. 'ttl {text[1..]}' sets one, so long from now.");

    private static void Remember(CommandContext context, TimeSpan? life)
    {
        var state = context.Directory.ReadState();
        // Where nothing is remembered, of a torn state say, one option alone would pass for the whole.
        if (state.Options.Count == 0) return;
        var options = new Dictionary<string, string>(state.Options);
        if (life is { } known) options[Settings.Ttl] = Durations.Text(known);
        else options.Remove(Settings.Ttl);
        context.Directory.WriteState(state with { Options = options });
    }

    private static void Write(CommandContext context, List<ObservedInstance> instances, DateTimeOffset? end, IReadOnlyDictionary<string, string> problems, Cost cost, decimal? untilEnd)
    {
        var done = instances.Where(instance => !problems.ContainsKey(instance.Host)).Select(instance => instance.Host).ToList();
        var screen = context.Screen;
        if (screen.IsJson)
        {
            screen.Json(new { context.Options.Name, EndsAt = end, Hosts = done, Problems = problems, HourlyUsd = Money.Exact(cost.HourlyUsd), UntilEndUsd = untilEnd is { } sum ? Math.Round(sum, 2) : untilEnd, UnknownPrices = cost.Unknown });
            return;
        }

        if (done.Count > 0) screen.Line(end is { } moment ? $"{string.Join(", ", done)} end by themselves at {HostEnd.Text(moment)}." : $"Nothing ends {string.Join(", ", done)} by itself any more.");
        foreach (var instance in instances.Where(instance => problems.ContainsKey(instance.Host)))
        {
            var present = HostEnd.Of(instance) is { } old ? HostEnd.Text(old) : Never;
            screen.Line($"  ! {instance.Host} keeps its end ({present}): {problems[instance.Host]}");
        }

        if (problems.Count > 0) screen.Line("Run the same command again once that is mended; a host that is lost is ended by 'publish --replace HOST'.");
    }
}

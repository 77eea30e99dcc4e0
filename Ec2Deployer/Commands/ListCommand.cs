using System.CommandLine;
using System.Globalization;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>list</c>: every deployment of the account, over all its regions, whether this machine knows it or not.</summary>
internal static class ListCommand
{
    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("list", "Every deployment of this account, over all enabled regions (--region: that one alone), and what it costs. --name and --owner show those alone.");
        command.SetAction(async (parse, cancellationToken) => (int)await RunAsync(parse, environment, cancellationToken));
        return command;
    }

    private static async Task<ExitCode> RunAsync(ParseResult parse, CommandEnvironment environment, CancellationToken cancellationToken)
    {
        var endpoint = Settings.EndpointOf(parse) ?? environment.ConfiguredEndpoint();
        var region = parse.GetValue(Settings.Region);
        var home = region ?? environment.ConfiguredRegion() ?? new DeploymentOptions().Region;
        var asked = new DeploymentOptions { Region = home, Name = parse.GetValue(Settings.Name)!, Owner = parse.GetValue(Settings.Owner) is { Length: > 0 } given ? given : null };
        if (DeploymentOptionsCheck.Errors(asked) is [var error, ..]) throw new DeploymentException(ExitCode.Usage, error);
        if (await environment.Ec2(home, endpoint, cancellationToken) is not { } client) throw CommandContext.NoCredentials();
        client.Dispose();
        var account = (await environment.Identity(home, endpoint).AskAsync(cancellationToken))?.Account;
        var survey = new AccountSurvey((region, cancellationToken) => environment.Ec2(region, endpoint, cancellationToken), environment.Pace, environment.Time);
        var answers = await AskAsync(survey, region is null ? await survey.RegionsAsync(home, cancellationToken) : [region], parse, environment, cancellationToken);
        if (answers.All(answer => answer.Refusal is not null))
            throw new DeploymentException(ExitCode.AwsRefused, $"No region said which deployments it has: {Refusals(answers)}. Nothing was changed. ec2:DescribeInstances and ec2:DescribeVolumes are needed in each; 'status' asks about one deployment.");

        var wanted = new Wanted(parse.GetResult(Settings.Name) is { Implicit: false } ? asked.Name : null, asked.Owner);
        var found = answers.SelectMany(answer => answer.Deployments).Where(one => wanted.Has(one.Name, one.Owner)).OrderBy(one => one.Name, StringComparer.Ordinal).ThenBy(one => one.Region, StringComparer.Ordinal).ToList();
        var here = Remembered(environment.Home).Where(one => wanted.Has(one.Key, one.Value.Owner ?? wanted.Owner)).ToDictionary();
        var screen = new Screen(environment, parse.GetValue(Settings.Json), asks: false);
        if (screen.IsJson) Json(screen, account, found, here, answers, environment.Time.GetUtcNow());
        else Text(screen, account, wanted, found, here, answers, environment.Time.GetUtcNow());
        return ExitCode.Done;
    }

    private static async Task<IReadOnlyList<RegionSurvey>> AskAsync(
        AccountSurvey survey, IReadOnlyList<string> regions, ParseResult parse, CommandEnvironment environment, CancellationToken cancellationToken)
    {
        // It changes nothing: nothing is written to the audit log.
        using var progress = new CommandProgress(environment.ProgressWriter(Settings.IsProgressJson(parse)), new DeploymentDirectory(environment.Home, "none"), environment.Time);
        using var step = progress.Begin($"asking {regions.Count} {(regions.Count == 1 ? "region" : "regions")}");
        var answers = await survey.AskAsync(regions, done => step.Report(done, regions.Count), cancellationToken);
        step.Done();
        return answers;
    }

    private static void Text(
        Screen screen, string? account, Wanted wanted, List<ListedDeployment> found, Dictionary<string, Kept> here, IReadOnlyList<RegionSurvey> answers, DateTimeOffset now)
    {
        var asked = answers.Count(answer => answer.Refusal is null);
        var where = $"{(account is null ? "this account" : $"account {account}")}, {asked} {(asked == 1 ? "region" : "regions")} asked";
        screen.Line(found.Count == 0 ? $"There is no deployment{wanted} in {where}." : $"Deployments in {where}:");
        if (found.Count > 0)
        {
            screen.Table(["name", "region", "running", "stopped", "age", "owner", "$/h", "keys"], found.Select(one => (IReadOnlyList<string>)
                [one.Name, one.Region, Number(one.Running), Number(one.Stopped), one.Since is { } since ? Durations.Text(now - since) : "–", one.Owner ?? "–",
                    Money.Rate(one.Cost.HourlyUsd, one.Cost.IsAtMost), IsHere(one, here, account) ? "here" : "–"]));
            var unknown = found.Where(one => one.Cost.HourlyUsd is null).Select(one => $"of '{one.Name}', for {Money.Missing(one.Cost, one.Region)}").ToList();
            screen.Line(string.Create(CultureInfo.InvariantCulture,
                $"  together {Money.Rate(found.Sum(one => one.Cost.HourlyUsd))} US dollars an hour{(unknown.Count > 0 ? ", without those unknown" : "")}; list prices of {PriceTable.Bundled.AsOf:yyyy-MM-dd}, without tax and traffic"));
            foreach (var one in unknown) screen.Line($"  ! unknown is the price {one}");
        }

        foreach (var (name, (place, _)) in here.Where(one => !found.Any(seen => seen.Name == one.Key && IsHere(seen, here, account))))
            screen.Line($"  '{name}' is remembered on this machine{(place is null ? "" : $" as one in {place}")}, and not among what was seen");
        if (Refusals(answers) is { Length: > 0 } refusals) screen.Line($"  ! not seen: {refusals}");
    }

    private static void Json(
        Screen screen, string? account, List<ListedDeployment> found, Dictionary<string, Kept> here, IReadOnlyList<RegionSurvey> answers, DateTimeOffset now) => screen.Json(new
        {
            Account = account,
            Deployments = found.Select(one => new
            {
                one.Name,
                one.Region,
                one.Running,
                one.Stopped,
                AgeSeconds = one.Since is { } since ? (long?)(now - since).TotalSeconds : null,
                one.Owner,
                HourlyUsd = Money.Exact(one.Cost.HourlyUsd),
                UnknownPrices = one.Cost.Unknown,
                KeysAreHere = IsHere(one, here, account),
            }),
            Regions = answers.Where(answer => answer.Refusal is null).Select(answer => answer.Region),
            Refused = answers.Where(answer => answer.Refusal is not null).Select(answer => new { answer.Region, Why = answer.Refusal }),
            NotSeen = here.Where(one => !found.Any(seen => seen.Name == one.Key && IsHere(seen, here, account))).Select(one => new { Name = one.Key, one.Value.Place?.Region, one.Value.Place?.Account, one.Value.Place?.Endpoint }),
        });

    private static bool IsHere(ListedDeployment one, Dictionary<string, Kept> here, string? account) =>
        here.TryGetValue(one.Name, out var kept) && (kept.Owner is null || one.Owner is null || kept.Owner == one.Owner)
        && (kept.Place is not { } place || (place.Region == one.Region && (place.Account is null || account is null || place.Account == account)));

    private static string Refusals(IReadOnlyList<RegionSurvey> answers) => string.Join("; ", answers
        .Where(answer => answer.Refusal is not null)
        .GroupBy(answer => answer.Refusal)
        .Select(same => $"{string.Join(", ", same.Select(answer => answer.Region))} ({same.Key})"));

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    // By name; those of which only the audit log is left are none.
    private static Dictionary<string, Kept> Remembered(string home)
    {
        if (!Directory.Exists(home)) return [];
        return Directory.EnumerateDirectories(home)
            .Select(path => DeploymentDirectory.At(path))
            .Where(directory => File.Exists(directory.PrivateKeyFile) || File.Exists(directory.StateFile))
            .OrderBy(directory => directory.Path, StringComparer.Ordinal)
            .ToDictionary(directory => Path.GetFileName(directory.Path), directory =>
            {
                var state = directory.ReadState();
                var place = state.Place ?? (state.Options.GetValueOrDefault(Settings.Region.Name) is { } region ? new DeploymentPlace(region, null, null) : null);
                return new Kept(place, state.Options.GetValueOrDefault(Settings.Owner.Name));
            });
    }

    /// <summary>Which deployments are shown; null: all.</summary>
    private sealed record Wanted(string? Name, string? Owner)
    {
        public bool Has(string name, string? owner) => (Name ?? name) == name && (Owner is null || Owner == owner);

        public override string ToString() => $"{(Name is null ? "" : $" '{Name}'")}{(Owner is null ? "" : $" of {Owner}")}";
    }

    /// <summary>Where a deployment is that this machine knows, and whose; null where that is not known.</summary>
    private sealed record Kept(DeploymentPlace? Place, string? Owner);
}

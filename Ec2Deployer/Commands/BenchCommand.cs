using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>bench</c>: the load generator, pointed at the deployment. What stands behind <c>bench</c> is the load generator's own command line.</summary>
internal static class BenchCommand
{
    /// <summary>The variable by which the load generator learns what the hosts cost: US dollars an hour, or <c>unknown</c>.</summary>
    public const string PriceVariable = "LAB_USD_PER_HOUR";

    private const string Run = "run";
    private const string Faults = "faults";
    private const string HarmWith = "--harm-with";
    private const string KeyFile = "--key-file";
    private const string Fingerprint = "--fingerprint";

    private static readonly Argument<string[]> Words = new("arguments")
    {
        Description = "The load generator's own: --parallel 5 --rounds 4, or --duration 60s --clients 64, or --rate 200; --out DIR. Its other commands by their names; '-- --help' shows them all.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("bench", "Run the load generator against the deployment.") { Words };
        return command.WithWay().Does(environment, (context, parse, cancellationToken) => RunAsync(context, parse, environment, cancellationToken)).Refuses("the load generator writes its results itself, into the files of --out.", Settings.Json);
    }

    /// <summary>The load generator's command line.</summary>
    /// <param name="words">What the user wrote behind <c>bench</c>.</param>
    /// <param name="address">The orchestrator.</param>
    public static IReadOnlyList<string> Arguments(string[] words, Uri address) => words switch
    {
        [] => [Run, "--url", Text(address)],
        ["--help" or "-h" or "-?", ..] => words,
        [['-', ..], ..] => [Run, "--url", Text(address), .. words],
        [var verb, .. var rest] => [verb, "--url", Text(address), .. rest],
    };

    /// <summary>The command line by which the load generator reaches workers on their hosts, as it takes it: a list in JSON.</summary>
    /// <param name="self">This program, and its first arguments.</param>
    /// <param name="options">Which deployment, and the way to it.</param>
    public static string HarmProgram(IReadOnlyList<string> self, IEnumerable<string> options) => JsonSerializer.Serialize<string[]>([.. self, HarmCommand.Verb, .. options]);

    private static string Text(Uri address) => address.GetLeftPart(UriPartial.Authority);

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CommandEnvironment environment, CancellationToken cancellationToken)
    {
        var words = parse.GetValue(Words) ?? [];
        var found = await context.FindAsync(cancellationToken);
        var host = found.Hosts.FirstOrDefault(host => host.Role is HostRole.Orchestrator) ?? throw new DeploymentException(ExitCode.HostFailed,
            $"The orchestrator's host of '{context.Options.Name}' does not run. 'publish' puts another in its place.");
        if (context.Options.Orchestrators > 1)
            context.Progress.Note($"Of the {context.Options.Orchestrators} orchestrators the one of {host.Name} is asked alone; it uses the others' workers only while these need them not.");
        using var way = HostWay.To(host, FleetShape.HttpsPort);
        var address = new Uri(way.IsIndirect ? $"https://{way.Address}:{way.Port}" : $"https://{host.SshAddress}");
        var arguments = Arguments(words, address);
        // What drains workers and resumes them needs the deployer's own key.
        var file = Path.Combine(context.Directory.Path, arguments[0] == Run ? "api-key" : "admin-key");
        if (!File.Exists(file))
            throw new DeploymentException(ExitCode.Failed, $"The key {file} is not on this machine. Copy the deployment's directory from the machine that published it, or run 'publish', which makes another.");

        var certificate = ClientFiles.CertificateIn(context.Directory.Path);
        var fingerprint = ClientFiles.FingerprintIn(context.Directory.Path)
            ?? throw new DeploymentException(ExitCode.Failed, $"The certificate of '{context.Options.Name}', {certificate}, is not on this machine, so it cannot be told who answers. Run 'publish', which reads it from the host.");

        // The key by its file: what is in an argument or a variable, others may read.
        if (!Has(KeyFile)) arguments = [.. arguments, KeyFile, file];
        if (!Has(Fingerprint)) arguments = [.. arguments, Fingerprint, fingerprint];
        if (arguments[0] == Faults && !Has(HarmWith))
            arguments = [.. arguments, HarmWith, HarmProgram(environment.Self, Settings.SameWay(parse, context.Options))];
        var program = environment.LoadGenerator();
        var start = new ProcessStartInfo(program[0], [.. program.Skip(1), .. arguments]);
        var cost = RunningCost.Of(context.Options, found.Observed);
        if (cost.HourlyUsd is null) context.Progress.Note($"What a million requests cost stays unknown: {Money.Missing(cost, context.Options.Region)}.");
        start.Environment[PriceVariable] = cost.HourlyUsd?.ToString(CultureInfo.InvariantCulture) ?? "unknown";
        try
        {
            // Ctrl-C reaches it too, and it ends in its own way.
            return await ChildProgram.RunAsync(context, start, CancellationToken.None);
        }
        catch (Win32Exception e)
        {
            throw new DeploymentException(ExitCode.Failed, $"The load generator cannot be started: {e.Message.TrimEnd('.')}. Any other can be used: the orchestrator is at https://{host.SshAddress}/new_request, its certificate in {certificate}, the API key in {file}.", e);
        }

        bool Has(string option) => words.Any(word => word == option || word.StartsWith($"{option}=", StringComparison.Ordinal));
    }
}

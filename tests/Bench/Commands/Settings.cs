using System.CommandLine;
using System.Globalization;
using Lab.Bench.Cluster;
using Lab.Bench.Load;
using Lab.Bench.Running;

namespace Lab.Bench.Commands;

/// <summary>The options that several commands have, and how they are read.</summary>
internal sealed class Settings
{
    public const string KeyVariable = "LAB_API_KEY";

    // What Aspire tells a resource with a reference to the orchestrator.
    private const string AddressVariable = "services__orchestrator__http__0";

    private const string UsualAddress = "http://localhost:8080";

    public Option<string?> Url { get; } = new("--url") { Description = $"The orchestrator. Default: the one AppHost names, else {UsualAddress}.", HelpName = "URL" };

    public Option<string?> KeyFile { get; } = new("--key-file") { Description = $"A file with the API key. Default: the environment variable {KeyVariable}. Never on the command line, where everybody sees it.", HelpName = "FILE" };

    public Option<byte[]?> Fingerprint { get; } = new("--fingerprint")
    {
        Description = "For https with a self-signed certificate: its SHA-256 fingerprint, which the orchestrator logs when it starts.",
        HelpName = "7A:EA:…",
        CustomParser = result =>
        {
            if (PinnedCertificate.Read(result.Tokens[0].Value) is { } fingerprint) return fingerprint;
            result.AddError($"--fingerprint: '{result.Tokens[0].Value}' is none: 64 hexadecimal digits, with or without colons.");
            return null;
        },
    };

    public Option<string?> TextFile { get; } = new("--text-file") { Description = "Send the lines of a file instead of the built-in sentences; two texts with a tab between them are sent as a pair.", HelpName = "FILE" };

    public Option<bool> Random { get; } = new("--random") { Description = "Send 50 random letters and spaces each time, as in the lab." };

    public Option<string?> Expect { get; } = new("--expect") { Description = "Send the texts of a file of known answers and compare: a text, a tab and its label on each line, a pair of texts and its label with tabs between them, or answers in JSON as curl got them.", HelpName = "FILE" };

    public Option<double> Tolerance { get; } = new("--tolerance") { Description = "By how much a probability may differ from the known one (8-bit models answer slightly differently in company).", DefaultValueFactory = _ => 0.1, HelpName = "SHARE" };

    public Option<TimeSpan> Timeout { get; } = Duration("--timeout", "How long to wait for an answer before it counts as lost.", TimeSpan.FromSeconds(60));

    public Option<int?> Warmup { get; } = new("--warmup") { Description = "Requests sent beforehand that count nowhere; 0 for none. Default: four rounds, 20 to 200.", HelpName = "N" };

    public Option<string?> Out { get; } = new("--out") { Description = "Where report.html and result.json go. Default: bench-reports/<time>.", HelpName = "DIR" };

    public Option<bool> NoReport { get; } = new("--no-report") { Description = "Write no files." };

    /// <summary>An option that takes a time such as <c>30s</c>.</summary>
    public static Option<TimeSpan> Duration(string name, string description, TimeSpan? usual = null)
    {
        var option = new Option<TimeSpan>(name)
        {
            Description = description,
            HelpName = "TIME",
            CustomParser = result =>
            {
                if (Durations.Parse(result.Tokens[0].Value) is { } duration) return duration;
                result.AddError($"{name}: '{result.Tokens[0].Value}' is no time. Write 30s, 2m or 500ms.");
                return default;
            },
        };
        if (usual is { } value) option.DefaultValueFactory = _ => value;
        return option;
    }

    /// <summary>An option that takes a number greater than nothing.</summary>
    public static Option<T> Positive<T>(string name, string description, T? usual = null, T? most = null)
        where T : struct, System.Numerics.INumber<T>
    {
        var option = new Option<T>(name) { Description = description, HelpName = "N" };
        if (usual is { } value) option.DefaultValueFactory = _ => value;
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 0 || !T.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return;
            if (number <= T.Zero || number > most) result.AddError($"{name} must be greater than 0{(most is { } limit ? $" and at most {limit}" : "")}.");
        });
        return option;
    }

    /// <summary>Adds the options that every command against an orchestrator has.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[Url, KeyFile, Fingerprint, TextFile, Random, Expect, Tolerance, Timeout, Warmup, Out, NoReport]) command.Add(option);
        command.Validators.Add(result =>
        {
            var ways = new[] { result.GetValue(TextFile) is not null, result.GetValue(Random), result.GetValue(Expect) is not null };
            if (ways.Count(way => way) > 1) result.AddError("Only one of --text-file, --random and --expect can say what is sent.");
            if (result.GetValue(Warmup) is < 0) result.AddError("--warmup cannot be negative.");
            if (result.GetValue(Tolerance) is < 0 or > 1) result.AddError("--tolerance is a share from 0 to 1.");
        });
    }

    /// <summary>Whom to ask.</summary>
    /// <exception cref="BenchException">The address is none, or the key cannot be read.</exception>
    public Target Target(ParseResult parse)
    {
        var written = parse.GetValue(Url) ?? Environment.GetEnvironmentVariable(AddressVariable) ?? UsualAddress;
        var text = written.Contains("://", StringComparison.Ordinal) ? written : $"http://{written}";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.Host.Length == 0)
            throw new BenchException(ExitCode.Usage, $"'{written}' is no address: write it like {UsualAddress}.");
        if (address.UserInfo.Length > 0)
            throw new BenchException(ExitCode.Usage, $"The address must not hold a secret: the API key belongs into {KeyVariable} or a --key-file.");
        return new(new(address.GetLeftPart(UriPartial.Authority)), Key(parse), parse.GetValue(Timeout), parse.GetValue(Tolerance), parse.GetValue(Fingerprint));
    }

    /// <summary>What to send.</summary>
    /// <exception cref="BenchException">A file cannot be used.</exception>
    public TextSource Texts(ParseResult parse)
    {
        if (parse.GetValue(Expect) is { } known) return TextSource.Of(KnownAnswer.ReadFile(known), $"texts with known answers of {Path.GetFileName(known)}");
        if (parse.GetValue(TextFile) is { } file) return TextSource.FromFile(file);
        return parse.GetValue(Random) ? TextSource.RandomLetters(Environment.TickCount) : TextSource.BuiltIn();
    }

    /// <summary>Where the report goes; <c>null</c> for nowhere. The directory exists when this returns.</summary>
    /// <exception cref="BenchException">It cannot be made.</exception>
    public string? OutputDirectory(ParseResult parse, TimeProvider time)
    {
        if (parse.GetValue(NoReport)) return null;
        var directory = Path.GetFullPath(parse.GetValue(Out)
            ?? Path.Combine("bench-reports", time.GetLocalNow().ToString("yyyy-MM-dd-HHmmss", CultureInfo.InvariantCulture)));
        try
        {
            // Before the run rather than after it: a long measurement must not be lost for want of a directory.
            Directory.CreateDirectory(directory);
            using (File.Create(Path.Combine(directory, ".bench"), 1, FileOptions.DeleteOnClose))
            {
            }

            return directory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BenchException(ExitCode.Usage, $"No report can be written to {directory}: {e.Message}", e);
        }
    }

    private string? Key(ParseResult parse)
    {
        if (parse.GetValue(KeyFile) is not { } file)
            return Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key.Trim() : null;
        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } key ? key : throw new BenchException(ExitCode.Usage, $"There is no key in {file}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BenchException(ExitCode.Usage, $"The API key cannot be read: {e.Message}", e);
        }
    }
}

using System.CommandLine;
using System.Globalization;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Commands;

/// <summary>An option that describes the deployment. Once given it is remembered, until it is given again.</summary>
/// <param name="Option">On the command line.</param>
/// <param name="Apply">Puts its value into the options; throws <see cref="FormatException"/> with a sentence.</param>
internal sealed record Setting(Option<string?> Option, Func<DeploymentOptions, string, DeploymentOptions> Apply);

/// <summary>The options that describe a deployment and the way to it, and how they become <see cref="DeploymentOptions"/>.</summary>
internal static class Settings
{
    /// <summary>The option of the end that new hosts get.</summary>
    public const string Ttl = "--ttl";

    /// <summary>Which deployment.</summary>
    public static Option<string> Name { get; } = new("--name")
    {
        Description = "The deployment; without it, 'list' and 'iam' mean all.",
        DefaultValueFactory = _ => "lab",
        HelpName = "NAME",
        Recursive = true,
    };

    /// <summary>Whose it is.</summary>
    public static Option<string?> Owner { get; } = new("--owner")
    {
        Description = "Whose deployment it is; others' of the same name are left alone [default: the last part of the caller's ARN]",
        HelpName = "OWNER",
        Recursive = true,
    };

    /// <summary>What an organisation demands.</summary>
    public static Option<string[]> Tag { get; } = new("--tag")
    {
        Description = "A tag for everything that is made, disks and network interfaces too; may be repeated. KEY= takes it off again.",
        HelpName = "KEY=VALUE",
    };

    /// <summary>Where it is.</summary>
    public static Option<string?> Region { get; } = new("--region")
    {
        Description = "AWS region [default: where the deployment is, else as configured for AWS, else us-east-1]",
        HelpName = "REGION",
        Recursive = true,
    };

    /// <summary>Another address than AWS's.</summary>
    public static Option<string?> Endpoint { get; } = new("--endpoint-url")
    {
        Description = "Address of a stand-in for EC2 [default: where the deployment is, else AWS]",
        HelpName = "URL",
        Recursive = true,
    };

    /// <summary>A key that is not here yet.</summary>
    public static Option<string?> SshKey { get; } = new("--ssh-key")
    {
        Description = "Take over this private key, by which the hosts were started on another machine.",
        HelpName = "FILE",
    };

    /// <summary>For machines.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Results as JSON on standard output; those that come one after another, one object a line.", Recursive = true };

    /// <summary>For people or for another program.</summary>
    public static Option<string> Progress { get; } = new Option<string>("--progress")
    {
        Description = "How progress and errors are written to standard error: as text, or as one JSON object a line, and then nothing is asked.",
        DefaultValueFactory = _ => "text",
        Recursive = true,
    }.AcceptOnlyFromAmong("text", "json");

    /// <summary>More of everything.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose", "-v") { Description = "More detail: exact requests and commands; where something fails, its cause.", Recursive = true };

    /// <summary>Any host key will do.</summary>
    public static Option<bool> AcceptNewHostKey { get; } = new("--accept-new-host-key")
    {
        Description = "Accept an SSH host key that is new, changed or not shown on the console.",
    };

    /// <summary>Docker too.</summary>
    public static Option<bool> UpgradeDocker { get; } = new("--upgrade-docker")
    {
        Description = "Upgrade Docker where there is a newer version, one host after the other; while it is an orchestrator's turn that one refuses requests.",
    };

    /// <summary>Hosts that are lost.</summary>
    public static Option<string[]> Replace { get; } = new("--replace")
    {
        Description = "End the instance of this host, which is lost, and put another in its place. What only it had goes with it.",
        HelpName = "HOST",
    };

    /// <summary>Somebody has agreed to the price.</summary>
    public static Option<bool> Yes { get; } = new("--yes", "-y") { Description = "Start hosts, and pay for them, without a question." };

    /// <summary>Where new hosts stand; remembered, one after another with commas.</summary>
    public static Option<string[]> Subnet { get; } = new("--subnet")
    {
        Description = "Subnet of an existing VPC for new hosts; may be given several times, one for each zone [default: those of the default VPC]",
        HelpName = "ID",
    };

    /// <summary>What is to exist.</summary>
    public static IReadOnlyList<Setting> Shape { get; } =
    [
        new(Option("--orchestrators", "1|3", "Number of orchestrators; 3, on different hosts, need --postgres [default: 1]"), (o, v) => o with { Orchestrators = Number(v) }),
        new(Option("--instance-type", "TYPE", "Type of every host, of x86-64 or Arm processors [default: m7i-flex.large]"), (o, v) => o with { InstanceType = v }),
        SpotOptions.Spot,
        SpotOptions.Price,
        new(Option("--image", "AMI", "Machine image of the hosts, ami-… [default: the newest that --image-owner and --image-name fit]"), (o, v) => o with { ImageId = v }),
        new(Option("--image-owner", "ID", "AWS account that owns the machine image [default: Debian's, 136693071363]"), (o, v) => o with { ImageOwner = v }),
        new(Option("--image-name", "PATTERN", "Name of the machine image; * stands for anything [default: debian-12-amd64-*, for Arm types debian-12-arm64-*]"), (o, v) => o with { ImageName = v }),
        new(Option("--disk", "GIB", "Disk of each host, in GiB [default: 16]"), (o, v) => o with { DiskGiB = Number(v) }),
        new(Option(Ttl, "TIME", "Hosts end themselves after so long, such as 4h; counted from their first start, and for running ones changed by 'ttl' [default: never]"), (o, v) => o with { Ttl = Duration(v) }),
        new(Option("--vpc", "ID", "VPC for new hosts: in each zone a subnet with a way to the internet is taken, or those of --subnet [default: the default VPC]"), (o, v) => o with { Vpc = v }),
        new(Option("--ssh-from", "CIDR", "Addresses that may reach SSH, such as 203.0.113.7/32 [default: this machine's public address]"), (o, v) => o with { SshFrom = v }),
        new(Option("--http-from", "CIDR", "Addresses that may reach HTTP and HTTPS; 0.0.0.0/0 is everybody [default: this machine's public address]"), (o, v) => o with { HttpFrom = v }),
        new(Option("--elastic-ip", "yes|no", "Hosts that clients reach have Elastic IP addresses, which stay when they are stopped or replaced, and cost as long as they are not given back [default: yes]"), (o, v) => o with { ElasticIp = YesNo(v) }),
        new(Option("--otlp", "URL", "OpenTelemetry collector that gets traces and metrics, such as http://10.0.0.5:4317 [default: none]"), (o, v) => o with { Otlp = Address(v) }),
        new(Option("--dashboard", "yes|no", "Aspire's dashboard on the orchestrator's host, with the telemetry of all services; the command 'dashboard' opens it [default: no]"), (o, v) => o with { Dashboard = YesNo(v) }),
        new(Option("--base-image", "REF", "Container image to build upon [default: the .NET SDK's chiseled one with ICU]"), (o, v) => o with { BaseImage = v }),
        new(Option("--model", "DIR", "Model directory to serve [default: the bundled one]"), (o, v) => o with { ModelDirectory = Path.GetFullPath(v) }),
        new(Option("--postgres", "FILE", "File with a PostgreSQL connection string for jobs [default: SQLite on the orchestrator's host]"), (o, v) => o with { PostgresFile = Path.GetFullPath(v) }),
        new(Option("--certificate", "FILE", "Certificate and private key for port 443, as PEM or PKCS #12 [default: self-signed]"), (o, v) => o with { CertificateFile = Path.GetFullPath(v) }),
        new(Option("--plain-http", "yes|no", "Port 80 takes texts, from whoever reaches it and without a key, instead of sending all requests on to HTTPS [default: no]"), (o, v) => o with { PlainHttp = YesNo(v) }),
    ];

    /// <summary>How many worker hosts.</summary>
    public static Setting Hosts { get; } =
        new(Option("--hosts", "N", "Hosts for workers, two workers on each; the orchestrator's host comes on top [default: as many as there are, at first 4]"), (o, v) => o with { Hosts = Number(v) });

    /// <summary>The same for <c>scale</c>, which has no default.</summary>
    public static Option<string?> HostsToScale { get; } = Option("--hosts", "N", "Hosts for workers that there are to be, two workers on each; the orchestrator's host comes on top. Must be given.");

    /// <summary>How the hosts are reached.</summary>
    public static IReadOnlyList<Setting> Way { get; } =
    [
        new(Option("--ssh-user", "USER", "User to log in as by SSH, which the machine image makes [default: admin]"), (o, v) => o with { SshUser = v }),
        new(Option("--ssh-port", "PORT", "Port of the machine image's SSH server [default: 22]"), (o, v) => o with { SshPort = Number(v) }),
        // It implies private addresses, which the next option then may not deny.
        new(Option("--bastion", "USER@HOST[:PORT]", "Reach the hosts by their private addresses through this SSH server, with OpenSSH's client and what its configuration, agent and known hosts say; needs --ssh-from [default: none]"), (o, v) => o with { Bastion = Bastion.Parse(v), UsePrivateAddress = true }),
        new(Option("--private-address", "yes|no", "Reach the hosts by their private addresses, from inside the VPC or over a VPN; they get no public ones [default: no]"), (o, v) => o with { UsePrivateAddress = YesNo(v) }),
    ];

    private static readonly string[] ImagePattern = ["--image-owner", "--image-name"];
    private static readonly string[] Files = ["--model", "--postgres", "--certificate"];

    private static IEnumerable<Setting> All => [Hosts, .. Shape, .. Way];

    /// <summary>The options of this command line, on top of those remembered, on top of the defaults.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="remembered">What was given before, by option.</param>
    /// <param name="configuredRegion">The region of AWS's own configuration, or null.</param>
    /// <exception cref="DeploymentException">One sentence for each impossible value, with <see cref="ExitCode.Usage"/>.</exception>
    public static DeploymentOptions Read(ParseResult parse, IReadOnlyDictionary<string, string> remembered, Func<string?> configuredRegion)
    {
        var errors = new List<string>();
        var options = new DeploymentOptions
        {
            Name = parse.GetValue(Name)!,
            Region = parse.GetValue(Region) ?? remembered.GetValueOrDefault(Region.Name) ?? configuredRegion() ?? new DeploymentOptions().Region,
            Owner = TagOptions.Given(parse, Owner, remembered),
            IsOwnerGiven = TagOptions.Given(parse, Owner, remembered) is not null,
            Tags = TagOptions.Read(parse.GetValue(Tag) ?? [], remembered, errors),
            AcceptNewHostKey = parse.GetValue(AcceptNewHostKey),
            Replace = parse.GetValue(Replace) ?? [],
            Subnets = Subnets(parse.GetResult(Subnet) is null ? remembered.GetValueOrDefault(Subnet.Name) : string.Join(',', parse.GetValue(Subnet) ?? [])),
            UpgradeDocker = parse.GetValue(UpgradeDocker),
        };
        foreach (var setting in All)
        {
            var option = setting == Hosts ? HostsOf(parse) : setting.Option;
            var value = parse.GetResult(option) is null ? remembered.GetValueOrDefault(setting.Option.Name) : parse.GetValue(option);
            // An empty value puts the default back.
            if (string.IsNullOrEmpty(value)) continue;
            try
            {
                options = setting.Apply(options, value);
            }
            catch (FormatException e)
            {
                errors.Add($"{setting.Option.Name} '{value}': {e.Message}");
            }
        }

        errors.AddRange(DeploymentOptionsCheck.Errors(options));
        if (options.ImageId is { } image)
            errors.AddRange(ImagePattern.Where(name => IsGiven(parse, name)).Select(name => $"{name} means nothing beside --image {image}: leave out one of the two ('--image \"\"' takes the newest that fits)."));
        if (SpotOptions.Error(parse, options) is { } spot) errors.Add(spot);
        if (errors.Count > 0) throw new DeploymentException(ExitCode.Usage, string.Join('\n', errors));
        return options;
    }

    /// <summary>The option of this command that says how many worker hosts there are to be.</summary>
    public static Option<string?> HostsOf(ParseResult parse) => parse.CommandResult.Command.Options.Contains(HostsToScale) ? HostsToScale : Hosts.Option;

    /// <summary>The address given on the command line, or null.</summary>
    /// <exception cref="DeploymentException">It is none.</exception>
    public static Uri? EndpointOf(ParseResult parse) => parse.GetValue(Endpoint) switch
    {
        null => null,
        var text when Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https" => endpoint,
        var text => throw new DeploymentException(ExitCode.Usage, $"--endpoint-url '{text}' is no address: such as http://127.0.0.1:4566."),
    };

    /// <summary>Whether progress is for another program, which is to be heard even where the rest of the command line cannot be understood.</summary>
    public static bool IsProgressJson(ParseResult parse)
    {
        if (parse.GetResult(Progress)?.Tokens is [.., { Value: "json" }]) return true;
        // An option before it that lacks its value takes this one's name for it.
        var words = parse.Tokens.Select(token => token.Value).TakeWhile(word => word != "--").ToList();
        return parse.Errors.Count > 0 && words.Zip(words.Skip(1)).Contains((Progress.Name, "json"));
    }

    /// <summary>What is to be remembered after this command line.</summary>
    public static Dictionary<string, string> Remember(ParseResult parse, IReadOnlyDictionary<string, string> remembered, DeploymentOptions options)
    {
        var all = new Dictionary<string, string>(remembered)
        {
            // Wherever they came from: the deployment is there, and it is so large.
            [Region.Name] = options.Region,
            [Hosts.Option.Name] = options.Hosts.ToString(CultureInfo.InvariantCulture),
        };
        if (options.Owner is { } owner) all[Owner.Name] = owner;
        if (options.Tags.Count > 0) all[Tag.Name] = TagOptions.Text(options.Tags);
        foreach (var setting in All.Where(setting => setting != Hosts && parse.GetResult(setting.Option) is not null))
        {
            var value = parse.GetValue(setting.Option);
            if (string.IsNullOrEmpty(value)) all.Remove(setting.Option.Name);
            // The next command may be given elsewhere.
            else all[setting.Option.Name] = Files.Contains(setting.Option.Name) ? Path.GetFullPath(value) : value;
        }

        if (parse.GetResult(Subnet) is not null) all[Subnet.Name] = string.Join(',', options.Subnets);
        return all;
    }

    /// <summary>The options that lead another call of this program to the same deployment by the same way.</summary>
    public static IEnumerable<string> SameWay(ParseResult parse, DeploymentOptions options)
    {
        List<string> words = [Name.Name, options.Name, Region.Name, options.Region];
        if (parse.GetValue(Owner) is { } owner) words.AddRange([Owner.Name, owner]);
        if (parse.GetValue(Endpoint) is { } endpoint) words.AddRange([Endpoint.Name, endpoint]);
        foreach (var option in Way.Select(setting => setting.Option))
            if (parse.GetResult(option) is not null && parse.GetValue(option) is { } value) words.AddRange([option.Name, value]);
        if (options.AcceptNewHostKey) words.Add(AcceptNewHostKey.Name);
        return words;
    }

    /// <summary>What the half that speaks to hosts needs to know.</summary>
    public static ReleaseOptions Release(DeploymentOptions options, DeploymentDirectory directory) => new()
    {
        Deployment = options.Name,
        StateDirectory = directory.Path,
        PrivateKeyFile = directory.PrivateKeyFile,
        BaseImage = options.BaseImage,
        Architecture = HostArchitecture.OfType(options.InstanceType),
        Orchestrators = options.Orchestrators,
        Otlp = options.Otlp,
        Dashboard = options.Dashboard,
        ModelDirectory = options.ModelDirectory,
        PostgresFile = options.PostgresFile,
        CertificateFile = options.CertificateFile,
        PlainHttp = options.PlainHttp,
        SpotNotices = options.Spot,
        UpgradeDocker = options.UpgradeDocker,
        AcceptNewHostKey = options.AcceptNewHostKey,
    };

    private static bool IsGiven(ParseResult parse, string name) =>
        Shape.FirstOrDefault(setting => setting.Option.Name == name) is { } setting && parse.GetResult(setting.Option) is not null && !string.IsNullOrEmpty(parse.GetValue(setting.Option));

    private static string[] Subnets(string? text) => (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static Option<string?> Option(string name, string value, string description) => new(name) { HelpName = value, Description = description };

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException("a whole number is asked for.");

    private static TimeSpan? Duration(string text) =>
        text == "never" ? null : Durations.Parse(text) ?? throw new FormatException("a duration is asked for, such as 45m, 4h or 1d12h.");

    private static Uri Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) ? address : throw new FormatException("an address is asked for, such as http://10.0.0.5:4317.");

    private static bool YesNo(string text) => text switch { "yes" or "true" => true, "no" or "false" => false, _ => throw new FormatException("yes or no.") };
}

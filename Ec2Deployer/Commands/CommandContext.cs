using System.CommandLine;
using Amazon.EC2;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Commands;

/// <summary>What every command has: its options, the deployment's directory, a screen, and the two halves it works with.</summary>
internal sealed class CommandContext : IDisposable
{
    private readonly CommandEnvironment _environment;
    private readonly ParseResult _parse;
    private IAmazonEC2? _client;

    /// <param name="parse">The command line.</param>
    /// <param name="environment">Everything outside.</param>
    /// <exception cref="DeploymentException">An option's value is impossible.</exception>
    public CommandContext(ParseResult parse, CommandEnvironment environment)
    {
        (_parse, _environment) = (parse, environment);
        IsProgressJson = Settings.IsProgressJson(parse);
        // A question on standard error would be no line of JSON, and the program that reads it has no answer.
        Screen = new Screen(environment, parse.GetValue(Settings.Json), asks: environment.InIsTerminal && !IsProgressJson);
        var name = parse.GetValue(Settings.Name)!;
        // The name becomes part of a path before anything else is known of it.
        if (DeploymentOptionsCheck.Errors(new DeploymentOptions { Name = name }) is [var error, ..]) throw new DeploymentException(ExitCode.Usage, error);
        Directory = new DeploymentDirectory(environment.Home, name);
        State = Directory.ReadState();
        Options = Settings.Read(parse, State.Options, environment.ConfiguredRegion);
        Progress = new CommandProgress(environment.ProgressWriter(IsProgressJson), Directory, environment.Time);
        Fleet = environment.Fleet();
    }

    /// <summary>Checked options: decided once, before anything happens.</summary>
    public DeploymentOptions Options { get; }

    /// <summary>What this machine keeps.</summary>
    public DeploymentDirectory Directory { get; }

    /// <summary>What was remembered when the command began.</summary>
    public DeploymentState State { get; }

    /// <summary>Where results go.</summary>
    public Screen Screen { get; }

    /// <summary>Where progress goes.</summary>
    public CommandProgress Progress { get; }

    /// <summary>Whether progress is for another program.</summary>
    public bool IsProgressJson { get; }

    /// <summary>The half that speaks to hosts.</summary>
    public IFleetDeployer Fleet { get; }

    /// <summary>What the hosts are to run.</summary>
    public ReleaseOptions Release => Settings.Release(Options, Directory);

    /// <summary>Whether more detail is wanted.</summary>
    public bool Verbose => _parse.GetValue(Settings.Verbose);

    /// <summary>The clock.</summary>
    public TimeProvider Time => _environment.Time;

    /// <summary>The deployment at EC2, or null where there are no credentials.</summary>
    public async Task<Ec2Deployment?> TryDeploymentAsync(CancellationToken cancellationToken)
    {
        var text = _parse.GetValue(Settings.Endpoint);
        Uri? endpoint = null;
        if (text is not null && (!Uri.TryCreate(text, UriKind.Absolute, out endpoint) || endpoint.Scheme is not ("http" or "https")))
            throw new DeploymentException(ExitCode.Usage, $"--endpoint-url '{text}' is no address: such as http://127.0.0.1:4566.");
        _client ??= await _environment.Ec2(Options.Region, endpoint, cancellationToken);
        return _client is null ? null : new Ec2Deployment(_client, Directory, _environment.Pace, _environment.Time);
    }

    /// <summary>The deployment at EC2.</summary>
    /// <exception cref="DeploymentException">There are no credentials.</exception>
    public async Task<Ec2Deployment> DeploymentAsync(CancellationToken cancellationToken) =>
        await TryDeploymentAsync(cancellationToken) ?? throw new DeploymentException(ExitCode.AwsRefused,
            "No AWS credentials were found in the environment, in ~/.aws or on this machine's role. Nothing was changed. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run 'aws sso login'; 'plan' works without any.");

    /// <summary>The running hosts.</summary>
    /// <exception cref="DeploymentException">There are none, or none whose host key is known here.</exception>
    public async Task<DeploymentSnapshot> FindAsync(CancellationToken cancellationToken)
    {
        var found = await (await DeploymentAsync(cancellationToken)).FindAsync(Options, cancellationToken);
        if (found.Instances.Count == 0)
            throw new DeploymentException(ExitCode.Failed, $"There is no deployment '{Options.Name}' in {Options.Region}. Make it with 'publish', or name another with --name and --region.");
        if (found.Hosts.Count == 0)
        {
            throw new DeploymentException(ExitCode.HostFailed,
                $"None of the {found.Instances.Count} instances of '{Options.Name}' runs with a host key that this machine knows. 'publish' reads the keys from their consoles and goes on where it stopped; --accept-new-host-key accepts what answers.");
        }

        return found;
    }

    /// <summary>This machine's public address, asked for only where a door has no other.</summary>
    public async Task<string?> CallerAddressAsync(CancellationToken cancellationToken) =>
        Options.SshFrom is not null && Options.HttpFrom is not null ? null : await _environment.Caller.AskAsync(cancellationToken);

    /// <summary>For hosts that do not answer: to whom SSH is open at EC2, and whether this machine is among them; null where that cannot be told.</summary>
    public async Task<string?> ExplainDoorAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Options.UsePrivateAddress || await TryDeploymentAsync(cancellationToken) is not { } deployment) return null;
            var found = await deployment.FindAsync(Options, cancellationToken);
            return SshDoor.Explain(await _environment.Caller.AskAsync(cancellationToken), SshDoor.Sources(found.Observed, Options.SshPort), Options.SshFrom);
        }
        catch (DeploymentException)
        {
            // What is told anyway matters more than why this could not be added.
            return null;
        }
    }

    /// <summary>The options for a deployment that exists: as many worker hosts as it has, where the command line does not say another number.</summary>
    public DeploymentOptions OptionsFor(DeploymentSnapshot found) =>
        _parse.GetResult(Settings.Hosts.Option) is null && found.WorkerHosts > Options.Hosts ? Options with { Hosts = found.WorkerHosts } : Options;

    /// <summary>Holds what was given for the next command.</summary>
    /// <param name="options">What is about to be published.</param>
    /// <exception cref="DeploymentException">The deployment is in another region.</exception>
    public void Remember(DeploymentOptions options)
    {
        if (State.Options.GetValueOrDefault(Settings.Region.Name) is { } region && region != options.Region)
        {
            throw new DeploymentException(ExitCode.Usage,
                $"The deployment '{options.Name}' is in {region}, not {options.Region}. Nothing was changed. Take another --name for one in {options.Region}, or 'destroy' that of {region} first.");
        }

        Directory.WriteState(Directory.ReadState() with { Options = Settings.Remember(_parse, State.Options, options) });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Progress.Dispose();
        _client?.Dispose();
    }
}

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
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);
    private readonly CommandEnvironment _environment;
    private readonly ParseResult _parse;
    private readonly PlaceCheck _place;
    private IAmazonEC2? _client;
    private Uri? _endpoint;
    private Task<CallerIdentity?>? _identity;
    private Task<string?>? _account;
    private bool _learned;

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
        Progress = new CommandProgress(environment.ProgressWriter(IsProgressJson), Directory, environment.Time);
        Options = ReadOptions();
        Fleet = environment.Fleet();
        _place = new PlaceCheck(Options, Directory, State);
        if (Directory.StateDamage is { } damage)
            Progress.Note($"{Directory.StateFile} {damage}: what EC2 shows by its tags has to do, and options given before are not known. The file is kept; once another is written, as {Path.GetFileName(Directory.StateFile)}.damaged-1.");
    }

    /// <summary>Checked options: decided once, before anything happens.</summary>
    public DeploymentOptions Options { get; private set; }

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

    /// <summary>Whether the price is agreed to without a question.</summary>
    public bool Yes => _parse.GetValue(Settings.Yes);

    /// <summary>The clock.</summary>
    public TimeProvider Time => _environment.Time;

    /// <summary>What this command has begun to change, or null: nothing yet, or it is done.</summary>
    public Changes? Changes { get; private set; }

    /// <summary>Says that what comes next changes something, so that a failure tells what it leaves running.</summary>
    /// <param name="deployment">The deployment at EC2.</param>
    /// <param name="instances">The instances that may run, for where EC2 does not say; asked when it fails.</param>
    /// <param name="goesOn">Whether the same command goes on where it stopped.</param>
    public void BeginChanges(Ec2Deployment deployment, Func<IEnumerable<string>> instances, bool goesOn = true) => Changes = new(deployment, instances, goesOn);

    /// <inheritdoc cref="BeginChanges(Ec2Deployment, Func{IEnumerable{string}}, bool)"/>
    public void BeginChanges(Ec2Deployment deployment, DeploymentSnapshot found, bool goesOn = true) =>
        BeginChanges(deployment, () => found.Instances.Select(instance => instance.Id), goesOn);

    /// <summary>Says that everything is changed.</summary>
    public void EndChanges() => Changes = null;

    /// <summary>Whether credentials were found. Only after <see cref="TryDeploymentAsync"/>.</summary>
    public bool HasCredentials => _client is not null;

    /// <summary>The deployment at EC2, or null where there are no credentials.</summary>
    /// <exception cref="DeploymentException">It is in another region or account, or at another endpoint.</exception>
    public async Task<Ec2Deployment?> TryDeploymentAsync(CancellationToken cancellationToken)
    {
        if (_client is null)
        {
            _endpoint = _place.Require(Settings.EndpointOf(_parse) ?? _environment.ConfiguredEndpoint());
            _client = await ConnectAsync(_endpoint, cancellationToken);
            if (_client is null) return null;
            if (State.Place?.Account is not null) _place.RequireAccount(await AccountAsync(cancellationToken));
            await KnowOwnerAsync(cancellationToken);
        }

        return new Ec2Deployment(_client, Directory, _environment.Pace, _environment.Time, Progress.Note);
    }

    /// <summary>Whose credentials these are, asked once; null where nobody could say. Only after <see cref="DeploymentAsync"/>.</summary>
    public Task<CallerIdentity?> IdentityAsync(CancellationToken cancellationToken) =>
        _identity ??= _environment.Identity(Options.Region, _endpoint).AskAsync(cancellationToken);

    /// <summary>Whether this is for certain the place in which the deployment was published.</summary>
    public async Task<bool> IsItsPlaceAsync(CancellationToken cancellationToken) =>
        // What is shown is one owner's: where nobody knows whose the keys are, it does not tell that theirs is gone.
        State.Options.GetValueOrDefault(Settings.Owner.Name) == Options.Owner && _place.IsKnown(await AccountAsync(cancellationToken));

    private Task<string?> AccountAsync(CancellationToken cancellationToken)
    {
        return _account ??= AskAsync();

        async Task<string?> AskAsync() =>
            (await IdentityAsync(cancellationToken))?.Account ?? (_client is null ? null : await Ec2Account.OwnerAsync(_client, Time, cancellationToken));
    }

    // Whoever calls is the owner where nobody else is named.
    private async Task KnowOwnerAsync(CancellationToken cancellationToken)
    {
        if (Options.Owner is null && await IdentityAsync(cancellationToken) is { } caller) Options = Options with { Owner = Ownership.Of(caller.Arn) };
        // Its key and what else is kept here would be taken for the other's.
        if (State.Options.GetValueOrDefault(Settings.Owner.Name) is { } owner && owner != Options.Owner)
        {
            throw new DeploymentException(ExitCode.Usage,
                $"What this machine keeps of '{Options.Name}' is {owner}'s{(Options.Owner is { } other ? $", not {other}'s" : "")}. Nothing was changed. Take another --name, or --owner {owner}.");
        }
    }

    // Mostly at once; but a sign-on service may be slow, and a program that gives credentials may wait for somebody.
    private async Task<IAmazonEC2?> ConnectAsync(Uri? endpoint, CancellationToken cancellationToken)
    {
        var client = _environment.Ec2(Options.Region, endpoint, cancellationToken);
        if (await Task.WhenAny(client, Task.Delay(Slow, _environment.Time, cancellationToken)) == client) return await client;
        using var step = Progress.Begin("waiting for AWS credentials");
        var late = await client;
        step.Done(late is null ? "there are none" : "");
        return late;
    }

    /// <summary>The deployment at EC2.</summary>
    /// <exception cref="DeploymentException">There are no credentials.</exception>
    public async Task<Ec2Deployment> DeploymentAsync(CancellationToken cancellationToken) =>
        await TryDeploymentAsync(cancellationToken) ?? throw NoCredentials();

    /// <summary>What is said where there are no credentials.</summary>
    public static DeploymentException NoCredentials() => new(ExitCode.AwsRefused,
        "No AWS credentials were found in the environment, in ~/.aws or on this machine's role. Nothing was changed. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run 'aws sso login'; 'plan' works without any.");

    /// <summary>Whatever EC2 shows of the deployment, in whichever state.</summary>
    /// <exception cref="DeploymentException">There is nothing.</exception>
    public async Task<DeploymentSnapshot> FindAnyAsync(CancellationToken cancellationToken)
    {
        var found = await (await DeploymentAsync(cancellationToken)).FindAsync(Options, cancellationToken);
        if (found.Instances.Count == 0 && found.Observed.Groups.Count == 0 && found.Observed.Key is null && found.Observed.Addresses.Count == 0) throw NoDeployment();
        await LearnPlaceAsync(found, cancellationToken);
        return found;
    }

    /// <summary>The running hosts.</summary>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="DeploymentException">There are none, or none whose host key is known here.</exception>
    public async Task<DeploymentSnapshot> FindAsync(CancellationToken cancellationToken)
    {
        var found = await FindAnyAsync(cancellationToken);
        if (found.Instances.Count == 0) throw NoDeployment();
        if (found.Instances.All(instance => instance.State is "stopped" or "stopping"))
            throw new DeploymentException(ExitCode.HostFailed, $"The hosts of '{Options.Name}' are stopped: 'start' starts them.");
        if (found.Hosts.Count == 0)
        {
            throw new DeploymentException(ExitCode.HostFailed,
                $"None of the {found.Instances.Count} instances of '{Options.Name}' runs with a host key that this machine knows. 'publish' reads the keys from their consoles and goes on where it stopped; --accept-new-host-key accepts what answers. Published on another machine: 'state export' there, 'state import' here.");
        }

        return found;
    }

    private DeploymentException NoDeployment() => new(ExitCode.Failed,
        $"There is no deployment '{Options.Name}' in {Options.Region}. Make it with 'publish', name another with --name and --region, or see with 'list' what there is in every region.");

    /// <summary>This machine's public address, asked for only where a door has no other.</summary>
    public async Task<string?> CallerAddressAsync(CancellationToken cancellationToken) =>
        Options.SshFrom is not null && (Options.HttpFrom is not null || Options.Bastion is not null) ? null : await _environment.Caller.AskAsync(cancellationToken);

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
        _parse.GetResult(Settings.HostsOf(_parse)) is null && (found.WorkerHosts > Options.Hosts || (IsForgotten && found.WorkerHosts > 0)) ? Options with { Hosts = found.WorkerHosts } : Options;

    // Where what was remembered is lost, the hosts that run are the number that was meant, not the default.
    private bool IsForgotten => State.Options.Count == 0;

    // States of older versions do not know their account: a host of theirs that is seen here shows it.
    private async Task LearnPlaceAsync(DeploymentSnapshot found, CancellationToken cancellationToken)
    {
        if (_learned || State.Place?.Account is not null || !found.Instances.Any(instance => State.HostKeys.ContainsKey(instance.Id))) return;
        _learned = true;
        if (await AccountAsync(cancellationToken) is not { } account) return;
        try
        {
            Directory.WriteState(Directory.ReadState() with { Place = new(Options.Region, account, _endpoint?.AbsoluteUri) });
        }
        catch (DeploymentException)
        {
            // It was not asked to write anything.
        }
    }

    /// <summary>Holds what was given for the next command, and where the deployment is.</summary>
    /// <param name="options">What is about to be published.</param>
    /// <param name="before">What EC2 shows of it.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="DeploymentException">It cannot be written, or the hosts are nowhere to be seen and may be in another account.</exception>
    public async Task RememberAsync(DeploymentOptions options, DeploymentSnapshot before, CancellationToken cancellationToken)
    {
        Directory.RequireWritable();
        var account = await AccountAsync(cancellationToken);
        if (State.HostKeys.Count > 0 && !_place.IsKnown(account) && !before.Instances.Any(instance => State.HostKeys.ContainsKey(instance.Id)))
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"This machine knows hosts of '{options.Name}' ({string.Join(", ", State.HostKeys.Keys)}), and EC2 shows none of them in {options.Region}{(account is null ? "" : $" for account {account}")}. Nothing was changed. If they are in another account, use its credentials; if they have ended, 'destroy --forget' clears the way.");
        }

        Directory.WriteState(Directory.ReadState() with
        {
            Options = Settings.Remember(_parse, State.Options, options),
            Place = new(options.Region, account ?? State.Place?.Account, _endpoint?.AbsoluteUri),
        });
    }

    // A remembered value that nobody could give (changed by hand, or by another version) must not be in the way of what only needs the tags.
    private DeploymentOptions ReadOptions()
    {
        try
        {
            return Settings.Read(_parse, State.Options, _environment.ConfiguredRegion);
        }
        catch (DeploymentException e) when (State.Options.Count > 0 && !_parse.CommandResult.Command.Options.Contains(Settings.HostsOf(_parse)))
        {
            var options = Settings.Read(_parse, State.Options.Where(option => option.Key == Settings.Region.Name).ToDictionary(), _environment.ConfiguredRegion);
            Progress.Note($"{Directory.StateFile} remembers what is impossible, and defaults hold in its place: {e.Message.ReplaceLineEndings(" ")}");
            return options;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Progress.Dispose();
        _client?.Dispose();
    }
}

using Amazon.EC2;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Everything outside the program that commands touch: <c>Program.cs</c> gives the real ones, tests their own.</summary>
internal sealed record CommandEnvironment
{
    /// <summary>Results.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Progress, questions and errors.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Answers.</summary>
    public required TextReader In { get; init; }

    /// <summary>Whether results go to a terminal: only then is there colour.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Columns and rows of the terminal, for one that takes ANSI's sequences; null: they are found out.</summary>
    public Func<(int Width, int Height)>? TerminalSize { get; init; }

    /// <summary>Whether progress goes to a terminal: only then does it move.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Whether somebody can be asked.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Makes a client for a region and another address than AWS's (or null); null where there are no credentials.</summary>
    public required Func<string, Uri?, CancellationToken, Task<IAmazonEC2?>> Ec2 { get; init; }

    /// <summary>Says whose credentials these are, by a region and another address than AWS's (or null).</summary>
    public required Func<string, Uri?, ICallerIdentity> Identity { get; init; }

    /// <summary>The region that the environment or the profile names, or null.</summary>
    public required Func<string?> ConfiguredRegion { get; init; }

    /// <summary>The address that the environment puts in AWS's place, or null.</summary>
    public Func<Uri?> ConfiguredEndpoint { get; init; } = () => null;

    /// <summary>Reads a line that nobody shall see; null: there is none.</summary>
    public Func<string?>? ReadSecret { get; init; }

    /// <summary>Knows this machine's public address.</summary>
    public required ICallerAddress Caller { get; init; }

    /// <summary>The half that speaks to hosts.</summary>
    public required Func<IFleetDeployer> Fleet { get; init; }

    /// <summary>The program that makes load, and its first arguments.</summary>
    public required Func<IReadOnlyList<string>> LoadGenerator { get; init; }

    /// <summary>This program, for others to call, and its first arguments.</summary>
    public required IReadOnlyList<string> Self { get; init; }

    /// <summary>The directory of all deployments.</summary>
    public required string Home { get; init; }

    /// <summary>How often EC2 is asked.</summary>
    public Ec2Pace Pace { get; init; } = new();

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Writes progress and errors to <see cref="Error"/>.</summary>
    /// <param name="json">For another program, not for people.</param>
    public IProgressWriter ProgressWriter(bool json) =>
        json ? new JsonProgressWriter(Error, Time) : new TextProgressWriter(Error, ErrorIsTerminal, Time);
}

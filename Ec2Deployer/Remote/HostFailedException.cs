using System.Net.Sockets;
using Renci.SshNet.Common;

namespace Lab.Ec2Deployer.Remote;

/// <summary>Something went wrong on a host, or on the way to it. Who knows what still runs there completes the message.</summary>
internal sealed class HostFailedException : Exception
{
    /// <summary>At most so many of a log's last lines are shown.</summary>
    public const int MaxLogLines = 50;

    /// <param name="host">The host's name.</param>
    /// <param name="what">What failed and why, a sentence without its full stop.</param>
    /// <param name="remedy">What to do, a sentence.</param>
    /// <param name="log">Lines that tell more, or null.</param>
    /// <param name="inner">The cause.</param>
    public HostFailedException(string host, string what, string remedy, string? log = null, Exception? inner = null)
        : base($"{host}: {what}.", inner)
    {
        Host = host;
        What = what;
        Remedy = remedy;
        Log = LastLines(log);
    }

    /// <summary>The host's name.</summary>
    public string Host { get; }

    /// <summary>What failed and why.</summary>
    public string What { get; }

    /// <summary>What to do.</summary>
    public string Remedy { get; }

    /// <summary>The last lines of what the failing part wrote, or nothing.</summary>
    public string Log { get; }

    /// <summary>Whether the host has no Docker, and so is in no Swarm.</summary>
    public bool IsWithoutDocker { get; init; }

    /// <summary>Whether nothing there answered, as while a machine boots: the next attempt may succeed. A key that was refused is not that.</summary>
    public bool IsSilence => InnerException is SocketException or SshOperationTimeoutException or OperationCanceledException or HostFailedException { IsSilence: true };

    /// <summary>Whether packets to it vanish: who knows to whom SSH is open, can tell whether that is why.</summary>
    public bool IsUnanswered { get; init; }

    private static string LastLines(string? log) => log is null
        ? ""
        : string.Join(Environment.NewLine, log.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).TakeLast(MaxLogLines));
}

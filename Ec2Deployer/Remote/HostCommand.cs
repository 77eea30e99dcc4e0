namespace Lab.Ec2Deployer.Remote;

/// <summary>A command for one host, before it is known on which connection it runs.</summary>
/// <param name="Title">What it is for, in a few words for people: <c>joining the Swarm</c>.</param>
/// <param name="Line">The command line, exactly. No secret is ever in it, for every user of the host can read it.</param>
internal sealed record HostCommand(string Title, string Line)
{
    /// <summary>After this it has failed; its process is told to end.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What it reads from standard input; null for nothing.</summary>
    public string? Input { get; init; }

    /// <summary>What is shown of <see cref="Input"/> where it must not be shown itself, such as <c>the hash of the API key</c>.</summary>
    public string? InputInWords { get; init; }

    /// <summary>Whether running it twice comes to the same as once: then it is tried again where the connection broke.</summary>
    public bool IsRepeatable { get; init; }

    /// <summary>The command as a plan shows it.</summary>
    public RemoteStep ToStep(string host) => new(host, Title, Line, Timeout, InputInWords ?? Input);
}

/// <summary>What a command came to.</summary>
/// <param name="ExitCode">Its exit code; -1 where a signal ended it.</param>
/// <param name="Output">Its standard output, at most 1 MiB of its end.</param>
/// <param name="Error">Its standard error, likewise.</param>
internal sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>Words of a POSIX shell's command line.</summary>
internal static class Shell
{
    /// <summary>The text as one word, whatever is in it.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>A script that root runs, and that ends at its first command that fails.</summary>
    public static string Root(string script) => $"sudo -n sh -ec {Quote(script)}";
}

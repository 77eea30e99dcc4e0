namespace Lab.Bench;

/// <summary>Why the program ends, in words for its user.</summary>
internal sealed class BenchException : Exception
{
    /// <param name="code">What the program ends with.</param>
    /// <param name="message">For the user: what is wrong, and what to do.</param>
    /// <param name="cause">The cause, where there is one.</param>
    public BenchException(ExitCode code, string message, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>What the program ends with.</summary>
    public ExitCode Code { get; }
}

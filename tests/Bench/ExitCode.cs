namespace Lab.Bench;

/// <summary>What the program ends with.</summary>
internal enum ExitCode
{
    /// <summary>Every request was answered, and no answer was wrong.</summary>
    AllAnswered = 0,

    /// <summary>A fault of the program, or something it needs is missing.</summary>
    Failed = 1,

    /// <summary>The command line, a file that it names, or the API key is wrong.</summary>
    Usage = 2,

    /// <summary>An answer was wrong, or a request got none.</summary>
    WrongOrLost = 3,

    /// <summary>No orchestrator answers there.</summary>
    CannotReach = 4,

    /// <summary>None was wrong or lost, but some were refused, or could not be sent.</summary>
    Refused = 5,

    /// <summary>Ctrl-C; what was measured until then is reported.</summary>
    Interrupted = 130,
}

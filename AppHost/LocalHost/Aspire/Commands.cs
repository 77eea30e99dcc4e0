namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a command is given when a user of the dashboard runs it.</summary>
public sealed class ExecuteCommandContext
{
    /// <summary>Cancelled when the application stops.</summary>
    public required CancellationToken CancellationToken { get; init; }
}

/// <summary>How a command ended.</summary>
public sealed class ExecuteCommandResult
{
    /// <summary>Whether it did what it is for.</summary>
    public required bool Success { get; init; }

    /// <summary>One sentence for the user, or null.</summary>
    public string? Message { get; init; }
}

/// <summary>Makes results of commands.</summary>
public static class CommandResults
{
    /// <summary>It did what it is for.</summary>
    public static ExecuteCommandResult Success(string message) => new() { Success = true, Message = message };

    /// <summary>It did not.</summary>
    public static ExecuteCommandResult Failure(string? errorMessage = null) => new() { Success = false, Message = errorMessage };
}

/// <summary>How a command is shown.</summary>
public class CommandOptions
{
    /// <summary>What the command does, in one sentence.</summary>
    public string? Description { get; set; }
}

/// <summary>How a command that is an HTTP request is shown.</summary>
public class HttpCommandOptions : CommandOptions
{
    /// <summary>Is given the request before it is sent.</summary>
    public Func<HttpCommandRequestContext, Task>? PrepareRequest { get; set; }
}

/// <summary>What <see cref="HttpCommandOptions.PrepareRequest"/> is given.</summary>
public sealed class HttpCommandRequestContext
{
    /// <summary>Cancelled when the application stops.</summary>
    public required CancellationToken CancellationToken { get; init; }

    /// <summary>The request.</summary>
    public required HttpRequestMessage Request { get; init; }
}

using System.Text.Json.Serialization;

namespace Lab.Ec2Deployer.Commands;

/// <summary>
/// One line of standard error with <c>--progress json</c>. Other programs read it: names and meanings of its fields do
/// not change, fields may be added. A field that an event does not have is left out.
/// </summary>
internal sealed record ProgressEvent
{
    /// <summary>
    /// <c>begin</c> (with id, title, host), <c>say</c> (id, detail), <c>end</c> (id, succeeded, outcome, seconds),
    /// <c>note</c> (message) or <c>error</c> (message, exit code, detail).
    /// </summary>
    public required string Event { get; init; }

    /// <summary>The step's number in this run, from 1.</summary>
    public int? Id { get; init; }

    /// <summary>What the step is, such as <c>waiting for the instances</c>.</summary>
    public string? Title { get; init; }

    /// <summary>The host that the step is on, where it is on one.</summary>
    public string? Host { get; init; }

    /// <summary>Whether the step was done.</summary>
    public bool? Succeeded { get; init; }

    /// <summary>What came of the step, in a word or two; where it failed, the last that it said.</summary>
    public string? Outcome { get; init; }

    /// <summary>How long the step took, in seconds.</summary>
    public double? Seconds { get; init; }

    /// <summary>A remark, or why the program ends with another code than 0.</summary>
    public string? Message { get; init; }

    /// <summary>What the program ends with.</summary>
    public int? ExitCode { get; init; }

    /// <summary>What the step is at; of an error its cause, with <c>--verbose</c>.</summary>
    public string? Detail { get; init; }
}

// With the default encoder every line is ASCII: standard error's encoding is the console's, which is not always UTF-8.
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProgressEvent))]
internal sealed partial class ProgressEventJson : JsonSerializerContext;

using System.Text.Json;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Reads standard error as another program does with <c>--progress json</c>.</summary>
internal static class ProgressLines
{
    private static readonly Dictionary<string, string[]> Fields = new()
    {
        ["begin"] = ["event", "id", "title", "host"],
        ["say"] = ["event", "id", "detail"],
        ["end"] = ["event", "id", "succeeded", "outcome", "seconds"],
        ["note"] = ["event", "message"],
        ["error"] = ["event", "message", "exit_code", "detail"],
    };

    // What an event may lack.
    private static readonly string[] Optional = ["begin.host", "error.detail"];

    /// <summary>The events, once every line is seen to be one, with the fields of its kind and no others.</summary>
    public static List<JsonElement> Events(string error)
    {
        Assert.True(error.Length == 0 || error[^1] == '\n', "The last line has no end.");
        var events = error.Split('\n')[..^1].Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.All(events, one =>
        {
            var kind = one.GetProperty("event").GetString()!;
            var names = one.EnumerateObject().Select(field => field.Name).ToList();
            Assert.Subset(Fields[kind].ToHashSet(), names.ToHashSet());
            Assert.All(Fields[kind].Except(names), missing => Assert.Contains($"{kind}.{missing}", Optional));
        });
        return events;
    }

    /// <summary>Those of one kind.</summary>
    public static List<JsonElement> Of(this IEnumerable<JsonElement> events, string kind) => [.. events.Where(one => one.Text("event") == kind)];

    /// <summary>Those of the step with this title, its begin first.</summary>
    public static List<JsonElement> OfStep(this IReadOnlyList<JsonElement> events, string title)
    {
        var id = Assert.Single(events, one => one.Text("title") == title).GetProperty("id").GetInt32();
        return [.. events.Where(one => one.TryGetProperty("id", out var value) && value.GetInt32() == id)];
    }

    /// <summary>A field's text, or null where the event has none.</summary>
    public static string? Text(this JsonElement one, string field) => one.TryGetProperty(field, out var value) ? value.ToString() : null;

    /// <summary>The one error of a run, once it is seen to be the last line and to fit the exit code.</summary>
    public static JsonElement HasError((int Code, string Out, string Error) result, ExitCode code, string words)
    {
        var events = Events(result.Error);
        var error = Assert.Single(events.Of("error"));
        Assert.Equal("error", events[^1].Text("event"));
        Assert.Equal(((int)code, (int)code), (result.Code, error.GetProperty("exit_code").GetInt32()));
        Assert.Contains(words, error.Text("message"), StringComparison.Ordinal);
        return error;
    }
}

using System.Text.Json;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Reads <c>state.json</c>. One that cannot be used is no failure: tags at EC2 are enough to go on by.</summary>
internal static class StateFile
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>What was remembered, and why it could not be read; an empty state then, and where there is no file.</summary>
    /// <param name="file">The file.</param>
    public static (DeploymentState State, string? Damage) Read(string file)
    {
        try
        {
            return Parse(File.ReadAllText(file));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return (new DeploymentState(), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (new DeploymentState(), $"cannot be read ({e.Message.TrimEnd('.')})");
        }
    }

    /// <summary>The state in a text, and what is wrong with it.</summary>
    public static (DeploymentState State, string? Damage) Parse(string text)
    {
        if (string.IsNullOrWhiteSpace(text.Trim('\0'))) return (new DeploymentState(), "is empty");
        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            if (document.RootElement.ValueKind is JsonValueKind.Object
                && document.RootElement.TryGetProperty("version", out var version) && version.TryGetInt32(out var number) && number > DeploymentState.CurrentVersion)
            {
                return (new DeploymentState(), $"was written by a newer version of this program (form {number}, this one knows {DeploymentState.CurrentVersion})");
            }

            if (document.Deserialize(StateJson.Default.DeploymentState) is { } state && IsWhole(state)) return (state, null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
        }

        return (new DeploymentState(), "is torn or was changed by hand");
    }

    // JSON may say null where the program never does.
    private static bool IsWhole(DeploymentState state) =>
        new[] { state.Options, state.HostKeys, state.Launching }.All(part => part is not null && part.All(entry => entry.Value is not null))
        && state.Place is not { Region: null }
        && (state.Place?.Endpoint is not { } endpoint || (Uri.TryCreate(endpoint, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"));
}

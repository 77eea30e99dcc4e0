using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lab.Ec2Deployer.Aws;

/// <summary>
/// What this machine keeps of a deployment: <c>$XDG_CONFIG_HOME/lab/&lt;name&gt;</c> (<c>~/.config/lab/&lt;name&gt;</c>),
/// mode 0700, every file 0600.
/// </summary>
internal sealed class DeploymentDirectory
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <param name="home">The directory of all deployments.</param>
    /// <param name="name">The deployment's name, checked.</param>
    public DeploymentDirectory(string home, string name) => Path = System.IO.Path.Combine(home, name);

    /// <summary>The directory; made at the first write.</summary>
    public string Path { get; }

    /// <summary>The private SSH key in OpenSSH's format.</summary>
    public string PrivateKeyFile => System.IO.Path.Combine(Path, "id_ed25519");

    /// <summary>One line for each action that changed something.</summary>
    public string AuditFile => System.IO.Path.Combine(Path, "audit.log");

    private string StateFile => System.IO.Path.Combine(Path, "state.json");

    /// <summary>The directory of all deployments of this user.</summary>
    public static string DefaultHome()
    {
        var config = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        return System.IO.Path.Combine(
            string.IsNullOrEmpty(config) ? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config") : config,
            "lab");
    }

    /// <summary>What was remembered; an empty state where there is none.</summary>
    public DeploymentState ReadState() =>
        File.Exists(StateFile)
            ? JsonSerializer.Deserialize(File.ReadAllText(StateFile), StateJson.Default.DeploymentState) ?? new DeploymentState()
            : new DeploymentState();

    /// <summary>Remembers it, all or nothing.</summary>
    public void WriteState(DeploymentState state) => WriteSecret(StateFile, JsonSerializer.Serialize(state, StateJson.Default.DeploymentState) + "\n");

    /// <summary>Writes a file that only this user may read, all or nothing.</summary>
    public void WriteSecret(string file, string text)
    {
        Make();
        var draft = file + ".new";
        File.Delete(draft);
        // The mode is given at creation: there is no moment at which another user could open it.
        using (var stream = Open(draft, FileMode.CreateNew))
        using (var writer = new StreamWriter(stream))
        {
            writer.Write(text);
            writer.Flush();
            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, file, overwrite: true);
    }

    /// <summary>Appends a line to the audit log.</summary>
    public void Audit(DateTimeOffset at, string action, string subject)
    {
        Make();
        using var stream = Open(AuditFile, FileMode.Append);
        using var writer = new StreamWriter(stream);
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"{at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} {Environment.UserName} {action} {subject.ReplaceLineEndings(" ")}\n"));
    }

    /// <summary>Forgets everything but the audit log.</summary>
    public void Forget()
    {
        if (!Directory.Exists(Path)) return;
        foreach (var file in Directory.EnumerateFiles(Path).Where(file => file != AuditFile)) File.Delete(file);
    }

    // On Windows the user's profile is closed to other users as a whole.
    private static FileStream Open(string file, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Mine;
        return new FileStream(file, options);
    }

    private void Make()
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(Path);
        else Directory.CreateDirectory(Path, Mine | UnixFileMode.UserExecute);
    }
}

/// <summary>What one run leaves to the next.</summary>
internal sealed record DeploymentState
{
    /// <summary>The options of the command line that were given and hold until others are given, by name.</summary>
    public Dictionary<string, string> Options { get; init; } = [];

    /// <summary>Fingerprints of SSH host keys (<c>SHA256:…</c>), by instance.</summary>
    public Dictionary<string, string> HostKeys { get; init; } = [];

    /// <summary>The zones of hosts that were being started when a run ended, by name.</summary>
    public Dictionary<string, string> Launching { get; init; } = [];
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DeploymentState))]
internal sealed partial class StateJson : JsonSerializerContext;

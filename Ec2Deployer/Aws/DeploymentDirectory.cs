using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lab.Ec2Deployer.Reporting;

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

    /// <summary>The one at a path.</summary>
    public static DeploymentDirectory At(string path) => new(System.IO.Path.GetDirectoryName(path)!, System.IO.Path.GetFileName(path));

    /// <summary>The directory; made at the first write.</summary>
    public string Path { get; }

    /// <summary>The private SSH key.</summary>
    public string PrivateKeyFile => System.IO.Path.Combine(Path, "id_ed25519");

    /// <summary>One line for each action that changed something.</summary>
    public string AuditFile => System.IO.Path.Combine(Path, "audit.log");

    /// <summary>What one run leaves to the next.</summary>
    public string StateFile => System.IO.Path.Combine(Path, "state.json");

    /// <summary>Why <see cref="StateFile"/> cannot be used, to be put behind its name, or null: it can, or there is none.</summary>
    public string? StateDamage => Aws.StateFile.Read(StateFile).Damage;

    /// <summary>The directory of all deployments of this user.</summary>
    public static string DefaultHome()
    {
        var config = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        return System.IO.Path.Combine(
            string.IsNullOrEmpty(config) ? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config") : config,
            "lab");
    }

    /// <summary>What was remembered; an empty state where there is none, or none that can be read.</summary>
    public DeploymentState ReadState() => Aws.StateFile.Read(StateFile).State;

    /// <summary>Remembers it, all or nothing. A file that could not be read is kept beside it.</summary>
    public void WriteState(DeploymentState state)
    {
        if (StateDamage is not null) SetAside(StateFile, "damaged");
        WriteSecret(StateFile, JsonSerializer.Serialize(state, StateJson.Default.DeploymentState) + "\n");
    }

    /// <summary>Writes a file that only this user may read, all or nothing.</summary>
    /// <exception cref="DeploymentException">It cannot be written.</exception>
    public void WriteSecret(string file, string text) => Writing(() =>
    {
        Make();
        var draft = file + ".new";
        File.Delete(draft);
        try
        {
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
        catch (IOException)
        {
            File.Delete(draft);
            throw;
        }
    });

    /// <summary>Keeps a file under another name: <c>state.json.damaged-1</c>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="why">One word.</param>
    /// <returns>The new name.</returns>
    public string SetAside(string file, string why)
    {
        var name = Enumerable.Range(1, int.MaxValue).Select(number => string.Create(CultureInfo.InvariantCulture, $"{file}.{why}-{number}")).First(name => !System.IO.Path.Exists(name));
        Writing(() => Directory.Move(file, name));
        return name;
    }

    /// <summary>Sees before anything else happens that what is to be kept can be kept, and leaves everything as it was.</summary>
    /// <exception cref="DeploymentException">The directory cannot be made or written, or its disk is full.</exception>
    public void RequireWritable()
    {
        var probe = System.IO.Path.Combine(Path, ".probe");
        var missing = Missing(Path).ToList();
        try
        {
            WriteSecret(probe, new string(' ', 1 << 16));
            Writing(() => File.Delete(probe));
            foreach (var directory in missing) Directory.Delete(directory);
        }
        catch (IOException)
        {
            // Another run has put something there.
        }
        catch (DeploymentException e)
        {
            throw new DeploymentException(e.Code, e.Message + " Nothing was changed.", e.InnerException);
        }
    }

    /// <summary>Appends a line to the audit log.</summary>
    /// <exception cref="DeploymentException">It cannot be written.</exception>
    public void Audit(DateTimeOffset at, string action, string subject) => Writing(() =>
    {
        Make();
        using var stream = Open(AuditFile, FileMode.Append);
        using var writer = new StreamWriter(stream);
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"{at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} {Environment.UserName} {action} {subject.ReplaceLineEndings(" ")}\n"));
    });

    /// <summary>Whether there is anything that <see cref="Forget"/> would lose.</summary>
    public bool IsEmpty => !Directory.Exists(Path) || !Directory.EnumerateFiles(Path).Any(file => file != AuditFile);

    /// <summary>Forgets everything but the audit log; the keys late, and last where the deployment is.</summary>
    public void Forget()
    {
        if (!Directory.Exists(Path)) return;
        Writing(() =>
        {
            foreach (var file in Directory.EnumerateFiles(Path).Where(file => file != AuditFile).OrderBy(file => file == StateFile).ToList()) File.Delete(file);
        });
    }

    private void Writing(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeploymentException(ExitCode.Failed,
                $"{Path} cannot be written: {e.Message.TrimEnd('.')}. What this machine has to keep of a deployment is there: make it writable and make room, or let XDG_CONFIG_HOME name another place.", e);
        }
    }

    // On Windows the user's profile is closed to other users as a whole.
    private static FileStream Open(string file, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Mine;
        return new FileStream(file, options);
    }

    // The directory and those above it that are not there, the innermost first.
    private static IEnumerable<string> Missing(string path)
    {
        for (var directory = path; directory is not null && !Directory.Exists(directory); directory = System.IO.Path.GetDirectoryName(directory)) yield return directory;
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
    /// <summary>The form that this program writes.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The form it was written in.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Where the deployment is, or null: nothing was published yet, or by a version that did not keep it.</summary>
    public DeploymentPlace? Place { get; init; }

    /// <summary>The options of the command line that were given and hold until others are given, by name.</summary>
    public Dictionary<string, string> Options { get; init; } = [];

    /// <summary>Fingerprints of SSH host keys (<c>SHA256:…</c>), by instance.</summary>
    public Dictionary<string, string> HostKeys { get; init; } = [];

    /// <summary>The zones of hosts that were being started when a run ended, by name.</summary>
    public Dictionary<string, string> Launching { get; init; } = [];

    /// <summary>When the last of <see cref="Launching"/> was asked for: for a while after it EC2 may not show it yet.</summary>
    public DateTimeOffset? LaunchingSince { get; init; }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DeploymentState))]
internal sealed partial class StateJson : JsonSerializerContext;

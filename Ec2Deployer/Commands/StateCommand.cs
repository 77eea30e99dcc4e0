using System.CommandLine;
using System.Security.Cryptography;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>state export</c> and <c>state import</c>: hand a deployment to another machine, a colleague or CI.</summary>
internal static class StateCommand
{
    private static readonly string[] FilesElsewhere = ["--postgres", "--certificate", "--model"];
    private const string Here = "it asks nobody; owner, region and endpoint are those of the deployment.";
    private static readonly Argument<string> File = new("file") { Description = "The archive.", HelpName = "FILE" };
    private static readonly Option<bool> Encrypt = new("--encrypt") { Description = "Encrypt it with a passphrase, which is asked for." };
    private static readonly Option<string?> PassphraseFile = new("--passphrase-file") { Description = "The passphrase is the first line of this file, and nobody is asked.", HelpName = "FILE" };

    public static Command Create(CommandEnvironment environment) => new("state", "Hand the deployment to another machine: its keys and what is remembered of it, as one file.")
    {
        new Command("export", "Write everything that another machine needs into one new file that only you may read. It opens the hosts: keep it as you keep a key.") { File, Encrypt, PassphraseFile }
            .Does(environment, (context, parse, _) => Task.FromResult(Export(context, parse, environment))).Refuses(Here, Settings.Owner, Settings.Region, Settings.Endpoint),
        new Command("import", "Take a deployment over from such a file. Keys of another deployment are never overwritten.") { File, PassphraseFile }
            .Does(environment, (context, parse, _) => Task.FromResult(Import(context, parse, environment))).Refuses(Here, Settings.Owner, Settings.Region, Settings.Endpoint),
    };

    private static ExitCode Export(CommandContext context, ParseResult parse, CommandEnvironment environment)
    {
        var file = Path.GetFullPath(parse.GetValue(File)!);
        if (context.Directory.StateDamage is { } damage)
            throw new DeploymentException(ExitCode.Failed, $"{context.Directory.StateFile} {damage}, so it cannot be handed on. Nothing was written. 'publish' writes it anew from what EC2 shows.");
        var files = StateArchive.Files.Where(name => System.IO.File.Exists(InDirectory(context.Directory, name))).ToDictionary(name => name, name => ReadText(InDirectory(context.Directory, name)));
        if (!files.ContainsKey("id_ed25519") || !files.ContainsKey("state.json"))
            throw new DeploymentException(ExitCode.Failed, $"There is nothing of '{context.Options.Name}' to hand on in {context.Directory.Path}: no SSH key and state. Nothing was written. Name another deployment with --name.");
        var passphrase = parse.GetValue(Encrypt) || parse.GetValue(PassphraseFile) is not null ? Passphrase(context, parse, environment, twice: true) : null;
        WriteNew(file, StateArchive.Write(context.Options.Name, files, passphrase));

        if (passphrase is null) context.Progress.Note($"{file} is not encrypted: whoever reads it can open the hosts. --encrypt, or --passphrase-file FILE, protects it on its way.");
        foreach (var option in FilesElsewhere.Where(context.State.Options.ContainsKey))
            context.Progress.Note($"What {option} names ({context.State.Options[option]}) is not in it: give it to the other machine too, and its place there with {option}.");
        context.Progress.Dispose();
        if (context.Screen.IsJson) context.Screen.Json(new { context.Options.Name, File = file, Encrypted = passphrase is not null, Files = files.Keys });
        else context.Screen.Line($"'{context.Options.Name}' is in {file}{(passphrase is null ? "" : ", encrypted")}: {string.Join(", ", files.Keys)}.");
        return ExitCode.Done;
    }

    private static ExitCode Import(CommandContext context, ParseResult parse, CommandEnvironment environment)
    {
        var file = Path.GetFullPath(parse.GetValue(File)!);
        var content = Read(file, () => Passphrase(context, parse, environment, twice: false));
        var named = parse.GetResult(Settings.Name) is { Implicit: false };
        if (DeploymentOptionsCheck.Errors(new DeploymentOptions { Name = content.Name }).Count > 0) throw Unusable(file, "it holds no deployment");
        if (named && context.Options.Name != content.Name) throw Unusable(file, $"it holds '{content.Name}', not '{context.Options.Name}'");
        if (!content.Files.TryGetValue("id_ed25519", out var key) || !content.Files.TryGetValue("state.json", out var stateText)) throw Unusable(file, "it holds no SSH key and state");
        var (state, damage) = StateFile.Parse(stateText);
        if (damage is not null) throw Unusable(file, $"its state {damage}");

        var directory = new DeploymentDirectory(environment.Home, content.Name);
        Take(directory, content, key, file);
        directory.Audit(context.Time.GetUtcNow(), "state import", file);
        foreach (var option in FilesElsewhere.Where(option => state.Options.TryGetValue(option, out var path) && !Path.Exists(path)))
            context.Progress.Note($"{option} names {state.Options[option]}, which is not on this machine: 'publish {option} FILE' names another.");
        context.Progress.Dispose();
        if (context.Screen.IsJson) context.Screen.Json(new { content.Name, Directory = directory.Path, state.Place?.Region, state.Place?.Account, Files = content.Files.Keys });
        else context.Screen.Line($"'{content.Name}'{(state.Place is { } place ? $" in {place}" : "")} is taken over into {directory.Path}. Next: status{(content.Name == "lab" ? "" : $" --name {content.Name}")}");
        return ExitCode.Done;
    }

    // The state comes last: until then the directory is nothing that could be mistaken for the whole.
    private static void Take(DeploymentDirectory directory, ArchiveContent content, string key, string file)
    {
        foreach (var name in StateArchive.Files.Where(name => name is not ("state.json" or "known_hosts")).Where(content.Files.ContainsKey))
        {
            var existing = InDirectory(directory, name);
            if (System.IO.File.Exists(existing) && ReadText(existing) != content.Files[name])
            {
                throw new DeploymentException(ExitCode.Failed,
                    $"{existing} is there already and differs from that in {file}: it may open another deployment's hosts. Nothing was changed. 'destroy' that deployment first, or move {directory.Path} away.");
            }
        }

        // Seen to be a key before it becomes the deployment's.
        DeploymentKey.PublicKey($"in {file}", key);
        if (System.IO.File.Exists(directory.StateFile) && ReadText(directory.StateFile) != content.Files["state.json"])
            directory.SetAside(directory.StateFile, directory.StateDamage is null ? "replaced" : "damaged");
        foreach (var name in StateArchive.Files.OrderBy(name => name == "state.json").Where(content.Files.ContainsKey))
            directory.WriteSecret(InDirectory(directory, name), content.Files[name]);
    }

    private static ArchiveContent Read(string file, Func<string> passphrase)
    {
        try
        {
            // Counted while it is read: what is no plain file has no length.
            using var stream = System.IO.File.OpenRead(file);
            var bytes = new byte[StateArchive.MaxBytes + 1];
            var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (read > StateArchive.MaxBytes) throw new FormatException($"it is larger than {StateArchive.MaxBytes >> 20} MiB");
            return StateArchive.Read(System.Text.Encoding.UTF8.GetString(bytes, 0, read).TrimStart('\uFEFF'), passphrase);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Unusable(file, "the passphrase is wrong, or the file was changed");
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Unusable(file, e.Message.TrimEnd('.'));
        }
    }

    private static string Passphrase(CommandContext context, ParseResult parse, CommandEnvironment environment, bool twice)
    {
        if (parse.GetValue(PassphraseFile) is { } file)
        {
            var line = ReadText(file).Split('\n')[0].TrimEnd('\r');
            return line.Length >= StateArchive.MinPassphrase || !twice ? line
                : throw new DeploymentException(ExitCode.Usage, $"The first line of {file} is no passphrase: it has fewer than {StateArchive.MinPassphrase} characters. Nothing was written.");
        }

        var first = context.Screen.Secret("Passphrase: ");
        if (!twice) return first;
        if (first.Length < StateArchive.MinPassphrase) throw new DeploymentException(ExitCode.Usage, $"A passphrase has at least {StateArchive.MinPassphrase} characters. Nothing was written.");
        if (context.Screen.Secret("Once more: ") != first) throw new DeploymentException(ExitCode.Usage, "The two passphrases differ. Nothing was written.");
        return first;
    }

    private static void WriteNew(string file, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var made = false;
        try
        {
            using var stream = new FileStream(file, options);
            made = true;
            // There are file systems that keep no modes.
            if (!OperatingSystem.IsWindows() && (System.IO.File.GetUnixFileMode(file) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0)
                throw new IOException("others could read it there: its file system keeps no modes");
            using var writer = new StreamWriter(stream);
            writer.Write(text);
            writer.Flush();
            stream.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (made) System.IO.File.Delete(file);
            var why = Path.Exists(file) && !made ? "it is there already" : e.Message.TrimEnd('.');
            throw new DeploymentException(ExitCode.Failed, $"{file} was not written: {why}. Name another file.", e);
        }
    }

    private static string ReadText(string file)
    {
        try
        {
            return System.IO.File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(file, e.Message.TrimEnd('.'));
        }
    }

    private static string InDirectory(DeploymentDirectory directory, string name) => Path.Combine(directory.Path, name);

    private static DeploymentException Unusable(string file, string why) => new(ExitCode.Failed, $"{file} cannot be used: {why}. Nothing was changed.");
}

using System.CommandLine;
using System.Globalization;
using Lab.Worker.Checkpoints;
using Lab.Worker.ModelCommands.Hub;
using Spectre.Console;

namespace Lab.Worker.ModelCommands;

/// <summary><c>model pull</c>: a model directory from the Hugging Face hub or a mirror of it.</summary>
internal static class PullCommand
{
    private const string StandardModel = "distilbert/distilbert-base-uncased-finetuned-sst-2-english";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var id = new Argument<string>("hub-id") { DefaultValueFactory = _ => StandardModel, Description = "The model's name on the hub." };
        var revision = new Option<string>("--revision") { DefaultValueFactory = _ => "main", Description = "A commit, branch or tag." };
        var output = new Option<string?>("--output") { Description = "The directory; by default the last part of the model's name." };
        var command = new Command("pull", "Fetches a model directory from the Hugging Face hub (HF_TOKEN: your token; HF_ENDPOINT: a mirror).") { id, revision, output };
        command.SetAction((parse, cancellationToken) => ModelCommand.GuardAsync(async () =>
        {
            HubClient.CheckName(parse.GetRequiredValue(id));
            var directory = Path.GetFullPath(parse.GetValue(output) is { Length: > 0 } given ? given : parse.GetRequiredValue(id).Split('/')[^1]);
            using var client = new HubClient(Setting("HF_ENDPOINT") ?? HubClient.StandardEndpoint, Setting("HF_TOKEN"));
            var summary = await PullAsync(client, parse.GetRequiredValue(id), parse.GetRequiredValue(revision), directory, AnsiConsole.Console, cancellationToken);
            Console.WriteLine(summary);
            return 0;
        }));
        return command;
    }

    /// <summary>
    /// Fetches a model, if it can be served: what tells so is fetched first, and checked by what serves. Of a model that is
    /// refused nothing is left behind.
    /// </summary>
    /// <param name="client">The hub.</param>
    /// <param name="id">The model's name.</param>
    /// <param name="revision">A commit, branch or tag.</param>
    /// <param name="directory">Where it goes, as an absolute path.</param>
    /// <param name="console">Where the progress is shown.</param>
    /// <param name="cancellationToken">Ends it; what is there of the weights is kept for the next time.</param>
    /// <returns>What was done, in a line.</returns>
    /// <exception cref="HubException">It cannot be served, the hub does not give it, or it is not what the hub's metadata say.</exception>
    /// <exception cref="IOException">It cannot be written, or would be mixed with another model.</exception>
    public static async Task<string> PullAsync(
        HubClient client, string id, string revision, string directory, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var (commit, files) = await client.FilesAsync(id, revision, cancellationToken);
        var download = new HubDownload(client, id, commit, TimeProvider.System);
        using var preview = await HubPreview.FetchAsync(id, files, download, LoadedModel.Check, cancellationToken);
        CheckTarget(directory, preview, id);

        // Beside the directory's own files until all of them are there: a model is never half of one revision.
        var staging = Path.Combine(directory, $".pull-{commit}");
        var made = Missing(staging);
        CheckRoom(staging, preview);
        try
        {
            Directory.CreateDirectory(staging);
            await FetchWeightsAsync(preview.Weights, download, staging, console, cancellationToken);
            foreach (var file in preview.Small) File.Move(Path.Combine(preview.Directory, file.Name), Path.Combine(staging, file.Name), overwrite: true);
            // The headers that were looked at had no hash to be held against; the whole files have.
            LoadedModel.Check(staging);
        }
        catch (ModelDirectoryException e)
        {
            Directory.Delete(staging, recursive: true);
            throw new HubException(e.Message.Replace(staging, id, StringComparison.Ordinal));
        }
        finally
        {
            // Nothing stays of a directory that was made for nothing.
            foreach (var empty in made.TakeWhile(path => !Directory.Exists(path) || !Directory.EnumerateFileSystemEntries(path).Any()))
                if (Directory.Exists(empty)) Directory.Delete(empty);
        }

        HubFile[] all = [.. preview.Small, .. preview.Weights];
        foreach (var file in all) File.Move(Path.Combine(staging, file.Name), Path.Combine(directory, file.Name), overwrite: true);
        Directory.Delete(staging, recursive: true);
        return string.Create(CultureInfo.InvariantCulture,
            $"{directory}: {id} at {commit}, {all.Sum(file => file.Bytes) / 1e6:F1} MB, sizes and hashes as the hub's metadata say");
    }

    private static Task FetchWeightsAsync(
        IReadOnlyList<HubFile> weights, HubDownload download, string staging, IAnsiConsole console, CancellationToken cancellationToken) => console.Progress()
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
        .StartAsync(async progress =>
        {
            foreach (var file in weights)
            {
                var task = progress.AddTask(Markup.Escape(file.Name), maxValue: Math.Max(1, file.Bytes));
                await download.FetchAsync(file, Path.Combine(staging, file.Name), bytes => task.Value = bytes, cancellationToken);
                task.Value = task.MaxValue;
            }
        });

    private static void CheckTarget(string directory, HubPreview preview, string id)
    {
        if (File.Exists(directory)) throw new IOException($"{directory} is a file, not a directory");
        var wanted = preview.Small.Concat(preview.Weights).Select(file => file.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in wanted)
            if (Directory.Exists(Path.Combine(directory, name))) throw new IOException($"{Path.Combine(directory, name)} is a directory where a file is to come");
        // It would be read with what is to come, and change its answers.
        foreach (var name in HubPreview.Names)
            if (!wanted.Contains(name) && RegularFile.Exists(Path.Combine(directory, name)))
                throw new IOException($"{Path.Combine(directory, name)} is of another model, since {id} has no such file; delete it, or give another directory in --output");
    }

    private static void CheckRoom(string staging, HubPreview preview)
    {
        var there = Directory.Exists(staging) ? Directory.EnumerateFiles(staging).Sum(file => new FileInfo(file).Length) : 0;
        var needed = preview.Small.Concat(preview.Weights).Sum(file => file.Bytes) - there;
        var existing = Missing(staging) is [.., var top] ? Path.GetDirectoryName(top)! : staging;
        if (new DriveInfo(existing).AvailableFreeSpace is var free && free < needed)
            throw new IOException($"the disk is too full: {needed / 1e6:F0} MB are to come, and {free / 1e6:F0} MB are free at {existing}");
    }

    // The innermost first.
    private static List<string> Missing(string directory)
    {
        var missing = new List<string>();
        for (var path = directory; !Directory.Exists(path) && Path.GetDirectoryName(path) is { } parent; path = parent) missing.Add(path);
        return missing;
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

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

    // Small ones first: whether it can be served at all is known before much has been fetched.
    private static readonly string[] Needed = [DistilBertConfig.FileName, Vocabulary.FileName, DistilBertWeights.FileName];

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var id = new Argument<string>("hub-id") { DefaultValueFactory = _ => StandardModel, Description = "The model's name on the hub." };
        var revision = new Option<string>("--revision") { DefaultValueFactory = _ => "main", Description = "A commit, branch or tag." };
        var output = new Option<string?>("--output") { Description = "The directory; by default the last part of the model's name." };
        var command = new Command("pull", "Fetches a model directory from the Hugging Face hub (HF_TOKEN: your token; HF_ENDPOINT: a mirror).") { id, revision, output };
        command.SetAction((parse, cancellationToken) => ModelCommand.GuardAsync(async () =>
        {
            var directory = Path.GetFullPath(parse.GetValue(output) ?? parse.GetRequiredValue(id).Split('/')[^1]);
            using var client = new HubClient(Setting("HF_ENDPOINT") ?? HubClient.StandardEndpoint, Setting("HF_TOKEN"));
            var summary = await PullAsync(client, parse.GetRequiredValue(id), parse.GetRequiredValue(revision), directory, AnsiConsole.Console, cancellationToken);
            Console.WriteLine(summary);
            return 0;
        }));
        return command;
    }

    /// <summary>Fetches a model.</summary>
    /// <param name="client">The hub.</param>
    /// <param name="id">The model's name.</param>
    /// <param name="revision">A commit, branch or tag.</param>
    /// <param name="directory">Where it goes, as an absolute path.</param>
    /// <param name="console">Where the progress is shown.</param>
    /// <param name="cancellationToken">Ends it; what is there is kept for the next time.</param>
    /// <returns>What was done, in a line.</returns>
    /// <exception cref="HubException">The hub does not give it, or it is not what the hub's metadata say.</exception>
    /// <exception cref="ModelDirectoryException">It is a model of another kind.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static async Task<string> PullAsync(
        HubClient client, string id, string revision, string directory, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var (commit, files) = await client.FilesAsync(id, revision, cancellationToken);
        foreach (var name in Needed)
            if (!files.ContainsKey(name)) throw new HubException($"{id} has no {name}, and nothing else can be read in its place");
        HubFile[] wanted =
        [
            files[DistilBertConfig.FileName], files[Vocabulary.FileName],
            .. files.TryGetValue(TokenizerConfig.FileName, out var config) ? [config] : (HubFile[])[],
            files[DistilBertWeights.FileName],
        ];

        // Beside the directory's own files until all of them are there: a model is never half of one revision.
        var staging = Path.Combine(directory, $".pull-{commit}");
        Directory.CreateDirectory(staging);
        CheckRoom(staging, wanted);
        var download = new HubDownload(client, id, commit, TimeProvider.System);
        await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                foreach (var file in wanted)
                {
                    var task = progress.AddTask(Markup.Escape(file.Name), maxValue: Math.Max(1, file.Bytes));
                    await download.FetchAsync(file, Path.Combine(staging, file.Name), bytes => task.Value = bytes, cancellationToken);
                    task.Value = task.MaxValue;
                    if (file.Name == DistilBertConfig.FileName) _ = DistilBertConfig.Read(staging);
                }
            });
        foreach (var file in wanted) File.Move(Path.Combine(staging, file.Name), Path.Combine(directory, file.Name), overwrite: true);
        Directory.Delete(staging, recursive: true);
        return string.Create(CultureInfo.InvariantCulture,
            $"{directory}: {id} at {commit}, {wanted.Sum(file => file.Bytes) / 1e6:F1} MB, sizes and hashes as the hub's metadata say");
    }

    private static void CheckRoom(string staging, HubFile[] wanted)
    {
        var there = Directory.EnumerateFiles(staging).Sum(file => new FileInfo(file).Length);
        var needed = wanted.Sum(file => file.Bytes) - there;
        if (new DriveInfo(staging).AvailableFreeSpace is var free && free < needed)
            throw new IOException($"the disk is too full: {needed / 1e6:F0} MB are to come, and {free / 1e6:F0} MB are free at {staging}");
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

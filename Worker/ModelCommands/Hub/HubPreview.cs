using Lab.Worker.Checkpoints;

namespace Lab.Worker.ModelCommands.Hub;

/// <summary>
/// What tells whether a model can be served, before its weights are fetched: its small files, and of its weights the
/// headers only. They lie in a temporary directory that whatever serves can check, and that is gone with this object.
/// </summary>
internal sealed class HubPreview : IDisposable
{
    private const string Pickle = "pytorch_model.bin";
    private const int MaxSmallBytes = 64 << 20;

    private static readonly string[] SmallNames =
    [
        EncoderConfig.FileName, Vocabulary.FileName, ByteLevelVocabulary.FileName, MergeList.FileName, TokenizerJson.FileName, TokenizerConfig.FileName, "added_tokens.json",
        "special_tokens_map.json", "adapter_config.json", ShardIndex.FileName,
    ];

    /// <summary>Every name of a file that is read where a model directory has it, shards apart.</summary>
    public static IEnumerable<string> Names => [.. SmallNames, EncoderWeights.FileName];

    private readonly string _id;
    private readonly IReadOnlyDictionary<string, HubFile> _files;
    private readonly HubDownload _download;

    private HubPreview(string id, IReadOnlyDictionary<string, HubFile> files, HubDownload download)
    {
        _id = id;
        _files = files;
        _download = download;
        // With one file of weights the index says nothing.
        Small = [.. SmallNames.Where(name => name != ShardIndex.FileName || !files.ContainsKey(EncoderWeights.FileName)).Where(files.ContainsKey).Select(name => files[name])];
    }

    /// <summary>Where the files lie.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("lab-pull-").FullName;

    /// <summary>The small files of the model, all of which are here.</summary>
    public IReadOnlyList<HubFile> Small { get; }

    /// <summary>The files of weights, of which only the headers are here.</summary>
    public IReadOnlyList<HubFile> Weights { get; private set; } = [];

    /// <summary>Fetches what is needed to check a model, and checks it.</summary>
    /// <param name="id">The model's name, for messages.</param>
    /// <param name="files">What the hub has of it.</param>
    /// <param name="download">Fetches its files.</param>
    /// <param name="check">Checks a directory; throws <see cref="ModelDirectoryException"/> where it cannot be served.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HubException">The model cannot be served, or cannot be had.</exception>
    /// <exception cref="IOException">There is no room for it.</exception>
    public static async Task<HubPreview> FetchAsync(
        string id, IReadOnlyDictionary<string, HubFile> files, HubDownload download, Action<string> check, CancellationToken cancellationToken)
    {
        var preview = new HubPreview(id, files, download);
        try
        {
            await preview.FetchAsync(cancellationToken);
            preview.Check(() => check(preview.Directory));
            return preview;
        }
        catch
        {
            preview.Dispose();
            throw;
        }
    }

    /// <summary>Deletes the files.</summary>
    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        if (!_files.ContainsKey(EncoderConfig.FileName)) throw new HubException($"{_id} has no {EncoderConfig.FileName}: it is no model of transformers");
        foreach (var file in Small)
        {
            if (file.Bytes > MaxSmallBytes) throw new HubException($"{_id}/{file.Name} has {file.Bytes} bytes; more than {MaxSmallBytes} are not read");
            await _download.FetchAsync(file, PathOf(file.Name), _ => { }, cancellationToken);
            // What kind of model it is says more than what else is missing of it.
            if (file.Name == EncoderConfig.FileName) Check(() => EncoderConfig.Read(Directory));
        }

        Weights = _files.ContainsKey(EncoderWeights.FileName) ? [Weight(EncoderWeights.FileName)]
            : _files.ContainsKey(ShardIndex.FileName) ? [.. Check(() => ShardIndex.Read(PathOf(ShardIndex.FileName))).Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(Weight)]
            : throw new HubException(_files.Keys.Any(name => name.StartsWith(Pickle, StringComparison.Ordinal))
                ? $"{_id} has its weights in {Pickle} only, which is never read: a pickle can run code. Where you trust it, convert it: {Conversion()}"
                : $"{_id} has no {EncoderWeights.FileName}, and nothing else can be read in its place");
        foreach (var file in Weights) await _download.FetchHeaderAsync(file, PathOf(file.Name), cancellationToken);
    }

    private HubFile Weight(string name)
    {
        if (!_files.TryGetValue(name, out var file)) throw new HubException($"{_id} has no {name}, which {ShardIndex.FileName} names");
        return file.Bytes <= SafetensorsFile.MaxFileBytes ? file
            : throw new HubException($"{_id}/{name} has {file.Bytes} bytes; more than {SafetensorsFile.MaxFileBytes} are not read");
    }

    private string Conversion() =>
        "python3 -c \"from transformers import AutoModelForSequenceClassification as M, AutoTokenizer as T; "
        + $"M.from_pretrained('{_id}').save_pretrained('DIR'); T.from_pretrained('{_id}').save_pretrained('DIR')\"";

    private string PathOf(string name) => Path.Combine(Directory, name);

    // The user knows the model by its name, and not the directory, which is gone when he reads this.
    private T Check<T>(Func<T> check)
    {
        try
        {
            return check();
        }
        catch (ModelDirectoryException e)
        {
            throw new HubException(e.Message.Replace(Directory, _id, StringComparison.Ordinal));
        }
    }

    private void Check(Action check) => Check(() =>
    {
        check();
        return true;
    });
}

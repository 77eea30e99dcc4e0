using System.Security.Cryptography;
using System.Text;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// The files that hold a model's tensors: <c>model.safetensors</c>, or the shards that
/// <c>model.safetensors.index.json</c> names, as one.
/// </summary>
internal sealed class WeightFiles : IDisposable
{
    /// <summary>The name of a single file, which is taken where there are shards too, as transformers does.</summary>
    public const string FileName = "model.safetensors";

    private const int HashedAtOnce = 1 << 17;

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsFile> _owners = new(StringComparer.Ordinal);

    private WeightFiles(string path) => Path = path;

    /// <summary>The single file, or the index of the shards.</summary>
    public string Path { get; }

    /// <summary>The size of all files in bytes.</summary>
    public long FileBytes => _files.Sum(file => file.FileBytes);

    /// <summary>The tensors of all files by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>Maps the files of a model directory and checks their headers.</summary>
    /// <exception cref="ModelDirectoryException">A file is missing or broken, or there are weights of other kinds only.</exception>
    public static WeightFiles Open(string directory)
    {
        var adapter = System.IO.Path.Combine(directory, "adapter_config.json");
        if (RegularFile.Exists(adapter))
            throw new ModelDirectoryException(adapter, "belongs to an adapter, which transformers would put on top of the weights; merge it into them (merge_and_unload of peft) and save the model");
        var path = System.IO.Path.Combine(directory, FileName);
        var index = System.IO.Path.Combine(directory, ShardIndex.FileName);
        if (RegularFile.Exists(path)) return Open(path, [path], shards: null);
        if (!RegularFile.Exists(index)) throw Missing(directory, path);
        var shards = ShardIndex.Read(index);
        return Open(index, [.. shards.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(name => System.IO.Path.Combine(directory, name))], shards);
    }

    /// <summary>The file in which a tensor is.</summary>
    public string PathOf(SafetensorsEntry entry) => _owners[entry.Name].Path;

    /// <summary>A tensor's bytes, as <see cref="SafetensorsFile.Bytes"/> gives them.</summary>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry) => _owners[entry.Name].Bytes(entry);

    /// <summary>
    /// SHA-256 in lower-case hexadecimal: of the single file, or of a line for each shard with its name and SHA-256.
    /// </summary>
    /// <param name="remember">Given a path and what computes the file's hash, gives that hash; by default computes it.</param>
    public string Sha256(Func<string, Func<string>, string>? remember = null)
    {
        var hashes = _files.ConvertAll(file => remember?.Invoke(file.Path, () => Hash(file.Path)) ?? Hash(file.Path));
        if (_files is [{ } single] && single.Path == Path) return hashes[0];
        var lines = string.Concat(_files.Zip(hashes, (file, hash) => $"{System.IO.Path.GetFileName(file.Path)} {hash}\n"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines)));
    }

    /// <summary>As <see cref="SafetensorsFile.CheckUnchanged"/>, of each file.</summary>
    public void CheckUnchanged() => _files.ForEach(file => file.CheckUnchanged());

    /// <summary>Unmaps the files.</summary>
    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        _files.Clear();
    }

    private static WeightFiles Open(string path, IReadOnlyList<string> files, IReadOnlyDictionary<string, string>? shards)
    {
        var weights = new WeightFiles(path);
        try
        {
            foreach (var file in files) weights.Add(SafetensorsFile.Open(file), shards);
            foreach (var (tensor, shard) in shards ?? new Dictionary<string, string>())
            {
                if (!weights._entries.ContainsKey(tensor))
                    throw new ModelDirectoryException(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, shard), tensor, $"is missing, though {ShardIndex.FileName} says that it is here");
            }

            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private void Add(SafetensorsFile file, IReadOnlyDictionary<string, string>? shards)
    {
        _files.Add(file);
        foreach (var (name, entry) in file.Entries)
        {
            if (shards is not null && shards.GetValueOrDefault(name) != System.IO.Path.GetFileName(file.Path))
                throw new ModelDirectoryException(file.Path, name, $"is not said to be here by {ShardIndex.FileName}");
            _entries.Add(name, entry);
            _owners.Add(name, file);
        }
    }

    private static ModelDirectoryException Missing(string directory, string path)
    {
        string[] others = ["pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack"];
        if (Array.Find(others, name => File.Exists(System.IO.Path.Combine(directory, name))) is not { } other)
            return new(path, "does not exist");
        var from = other[0] switch { 't' => ", from_tf=True", 'f' => ", from_flax=True", _ => "" };
        return new(path,
            $"does not exist, and {other} is never loaded, since what is in such a file may run code; convert it: "
            + $"python -c \"from transformers import AutoModelForSequenceClassification as M; M.from_pretrained('.'{from}).save_pretrained('.', safe_serialization=True)\"");
    }

    private static string Hash(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Hashing a stream at once would read it in pieces of 4 KiB, and a start would wait for that.
        var buffer = new byte[HashedAtOnce];
        while (file.Read(buffer) is > 0 and var read) hash.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

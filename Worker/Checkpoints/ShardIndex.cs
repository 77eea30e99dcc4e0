using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>Which tensor is in which file, where a model's weights are in several (<c>model.safetensors.index.json</c>).</summary>
internal static class ShardIndex
{
    /// <summary>The file's name within a model directory.</summary>
    public const string FileName = "model.safetensors.index.json";

    /// <summary>More shards than a model of this size ever has are refused.</summary>
    public const int MaxShards = 256;

    private const int MaxFileBytes = 4 << 20;

    /// <summary>Reads the index.</summary>
    /// <returns>The name of the file for each tensor: a file of the same directory.</returns>
    /// <exception cref="ModelDirectoryException">The file is unreadable, or names what is no file of its directory.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path) => JsonMembers.ReadFile(path, MaxFileBytes, members =>
    {
        // Sizes and other descriptions.
        members.PassOver("metadata");
        var map = members.Object("weight_map") ?? throw members.Wrong("weight_map is missing");
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        var files = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in map.All)
        {
            if (tensor.Value.ValueKind is not JsonValueKind.String || tensor.Value.GetString() is not { } name || !IsName(name))
                throw members.Wrong($"weight_map has {JsonMembers.Shown(tensor.Value)}, which is not the name of a safetensors file of this directory");
            if (!shards.TryAdd(tensor.Name, name)) throw members.Wrong($"weight_map has \"{tensor.Name}\" twice");
            if (files.Add(name) && files.Count > MaxShards) throw members.Wrong($"names more than {MaxShards} files");
        }

        return shards.Count > 0 ? shards : throw members.Wrong("weight_map is empty");
    });

    private static bool IsName(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal) && !name.AsSpan().ContainsAny("/\\:\0");
}

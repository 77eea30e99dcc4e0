using System.Text;
using System.Text.Json;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>Whether a directory can be a model of the worker's, by its files' names and their first bytes: what the worker would refuse only once it runs.</summary>
internal static class ModelDirectory
{
    private const string Config = "config.json";
    private const string Weights = "model.safetensors";
    private const string WeightsIndex = "model.safetensors.index.json";
    private static readonly string[][] Tokenizers = [["vocab.txt"], ["tokenizer.json"], ["vocab.json", "merges.txt"]];

    /// <summary>What is wrong with it, or null.</summary>
    /// <param name="directory">A full path.</param>
    public static string? Problem(string directory)
    {
        if (File.Exists(directory)) return "it is a file, not a directory";
        if (!Directory.Exists(directory)) return "it does not exist";
        try
        {
            // Every file goes into the image, and is opened for it.
            foreach (var file in Directory.EnumerateFiles(directory))
                if (PlainFile.Problem(file) is { } wrong) return $"{Path.GetFileName(file)} cannot be used, {wrong}";

            if (!Has(Config)) return $"it has no {Config}";
            if (!Tokenizers.Any(files => files.All(Has))) return "it has neither vocab.txt nor tokenizer.json, nor vocab.json with merges.txt";
            using (var config = JsonDocument.Parse(File.ReadAllText(In(Config))))
                if (config.RootElement.ValueKind != JsonValueKind.Object) return $"{Config} is no JSON object";
            foreach (var file in Directory.EnumerateFiles(directory))
                using (File.OpenRead(file)) { }

            if (Has(Weights)) return WeightsProblem(In(Weights));
            return Has(WeightsIndex) ? Shards().Select(shard => Has(shard) ? WeightsProblem(In(shard)) : $"it has no {shard}, which {WeightsIndex} names").FirstOrDefault(problem => problem is not null)
                : $"it has no {Weights}";
        }
        catch (JsonException e)
        {
            return $"{(Has(WeightsIndex) && !Has(Weights) ? WeightsIndex : Config)} is no JSON ({e.Message.TrimEnd('.')})";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message.TrimEnd('.');
        }

        string In(string name) => Path.Combine(directory, name);
        bool Has(string name) => File.Exists(In(name));

        IReadOnlyList<string> Shards()
        {
            using var index = JsonDocument.Parse(File.ReadAllText(In(WeightsIndex)));
            return index.RootElement.ValueKind == JsonValueKind.Object && index.RootElement.TryGetProperty("weight_map", out var map) && map.ValueKind == JsonValueKind.Object
                ? [.. map.EnumerateObject().Select(tensor => tensor.Value.ToString()).Distinct()]
                : [];
        }
    }

    // The format begins with the header's length, eight bytes, little endian, and the header, a JSON object.
    private static string? WeightsProblem(string file)
    {
        using var stream = File.OpenRead(file);
        var start = new byte[9];
        var read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var name = Path.GetFileName(file);
        if (Encoding.ASCII.GetString(start).StartsWith("version ", StringComparison.Ordinal)) return $"{name} is a pointer of Git LFS, not the weights: 'git lfs pull' fetches them";
        return read == start.Length && start[8] == '{' && BitConverter.ToUInt64(start) <= (ulong)stream.Length - 8 ? null : $"{name} is cut off, or no file of safetensors";
    }
}

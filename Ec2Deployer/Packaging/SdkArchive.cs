using System.Formats.Tar;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>
/// The archive that the SDK makes, taken apart: the base's layers are kept, the program's single layer, whose times
/// differ with each run, is replaced by layers of our own.
/// </summary>
internal static class SdkArchive
{
    /// <summary>Turns the archive into an image whose layers change only where their files do.</summary>
    /// <param name="archive">The SDK's archive, of the format that <c>docker save</c> has.</param>
    /// <param name="reference">The image's reference.</param>
    /// <param name="tag">Its tag.</param>
    /// <param name="files">The program's files, ordered by path.</param>
    /// <param name="layers">Where layers are kept.</param>
    /// <param name="cancellationToken">Stops between two files.</param>
    /// <exception cref="InvalidDataException">It is no such archive.</exception>
    public static async Task<PackedImage> RepackAsync(
        string archive, string reference, string tag, IReadOnlyList<PublishedFile> files, string layers, CancellationToken cancellationToken)
    {
        var scratch = Directory.CreateTempSubdirectory("lab-image-").FullName;
        try
        {
            await TarFile.ExtractToDirectoryAsync(archive, scratch, overwriteFiles: true, cancellationToken);
            using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(scratch, "manifest.json"), cancellationToken));
            var image = manifest.RootElement[0];
            var config = JsonNode.Parse(await File.ReadAllBytesAsync(Path.Combine(scratch, image.GetProperty("Config").GetString()!), cancellationToken))!;
            var names = image.GetProperty("Layers").EnumerateArray().Select(name => name.GetString()!).ToList();
            if (names.Count == 0) throw new InvalidDataException($"{archive} has no layers.");

            var packed = new List<ImageLayer>();
            foreach (var name in names.SkipLast(1))
            {
                await using var layer = File.OpenRead(Path.Combine(scratch, name));
                packed.Add(await LayerWriter.KeepAsync(layer, layers, cancellationToken));
            }

            foreach (var part in PublishedFiles.Parts)
            {
                IReadOnlyList<PublishedFile> own = [.. files.Where(file => file.Part == part)];
                if (own.Count > 0) packed.Add(await LayerWriter.WriteAsync(part, own, layers, cancellationToken));
            }

            return new() { Reference = reference, Tag = tag, Config = Configure(config, packed), Layers = packed };
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>A configuration that names these layers and no time.</summary>
    internal static string Configure(JsonNode config, IReadOnlyList<ImageLayer> layers)
    {
        var epoch = DateTimeOffset.UnixEpoch.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        config["created"] = epoch;
        config["rootfs"] = new JsonObject
        {
            ["type"] = "layers",
            ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)$"sha256:{layer.DiffId}")]),
        };
        config["history"] = new JsonArray([.. layers.Select(layer => (JsonNode)new JsonObject { ["created"] = epoch, ["created_by"] = layer.Part })]);
        return config.ToJsonString();
    }
}

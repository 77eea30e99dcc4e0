using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>An image as the deployer keeps and sends it: a configuration and compressed layers, each sent only where it is missing.</summary>
internal sealed record PackedImage
{
    /// <summary>The full reference: registry, name and <see cref="Tag"/>.</summary>
    public required string Reference { get; init; }

    /// <summary>Hash of the published files and the base image: the same code gives the same tag.</summary>
    public required string Tag { get; init; }

    /// <summary>The image's configuration, as JSON.</summary>
    public required string Config { get; init; }

    /// <summary>From the base's first layer to the own code.</summary>
    public required IReadOnlyList<ImageLayer> Layers { get; init; }

    /// <summary>What <c>docker load</c> looks for first in an archive.</summary>
    [JsonIgnore]
    public string Manifest =>
        $$"""[{"Config":"config.json","RepoTags":["{{Reference}}"],"Layers":[{{string.Join(',', Layers.Select(layer => $"\"{layer.ArchiveName}\""))}}]}]""";

    /// <summary>The processors that it runs on, by Docker's name for them, or null where its configuration does not tell.</summary>
    [JsonIgnore]
    public string? Architecture => JsonNode.Parse(Config)?["architecture"]?.GetValue<string>();

    /// <summary>All layers together, compressed, in bytes.</summary>
    [JsonIgnore]
    public long Bytes => Layers.Sum(layer => layer.Bytes);
}

/// <summary>A layer: a tar, compressed by gzip.</summary>
/// <param name="Part"><c>base</c>, <c>packages</c>, <c>model</c> or <c>code</c>.</param>
/// <param name="DiffId">SHA-256 of the tar, 64 hexadecimal digits: the layer's name everywhere.</param>
/// <param name="Sha256">SHA-256 of the compressed file, by which its arrival is checked.</param>
/// <param name="Bytes">The compressed file's length.</param>
internal sealed record ImageLayer(string Part, string DiffId, string Sha256, long Bytes)
{
    /// <summary>The file's name, here and on the hosts.</summary>
    [JsonIgnore]
    public string FileName => $"{DiffId}.tar.gz";

    /// <summary>Its path inside the archive for <c>docker load</c>.</summary>
    [JsonIgnore]
    public string ArchiveName => $"blobs/{FileName}";
}

[JsonSerializable(typeof(PackedImage))]
[JsonSourceGenerationOptions(WriteIndented = true)]
internal sealed partial class PackagingJson : JsonSerializerContext;

using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Arm;

/// <summary>
/// A registry on this machine with one image for two kinds of processors, as Microsoft's are: a list of two manifests under one tag
/// (OCI Distribution Specification, the part for reading). What is for amd64 is empty.
/// </summary>
internal sealed class TwoArchitecturesRegistry : IDisposable
{
    private const string ListType = "application/vnd.docker.distribution.manifest.list.v2+json";
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";
    private static readonly string[] Variables = ["PATH=/usr/bin", "DOTNET_ROOT=/usr/share/dotnet", "DOTNET_RUNNING_IN_CONTAINER=true"];

    private readonly HttpListener _listener = new();
    private readonly Dictionary<string, (byte[] Content, string Type)> _blobs = [];
    private readonly int _port = FreePorts.Take();

    /// <summary>The image for both.</summary>
    public string Both => $"localhost:{_port}/lab-base:10";

    /// <summary>The same for amd64 alone.</summary>
    public string Amd64 => $"localhost:{_port}/lab-base:amd64";

    /// <summary>Serves it.</summary>
    /// <param name="arm">The files of the image for Arm.</param>
    public static async Task<TwoArchitecturesRegistry> StartAsync(IEnumerable<(string Name, string Source)> arm)
    {
        var registry = new TwoArchitecturesRegistry();
        var amd64 = await registry.AddAsync("amd64", []);
        var arm64 = await registry.AddAsync("arm64", arm);
        registry._blobs["amd64"] = registry._blobs[amd64];
        var list = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ListType,
            manifests = new[] { (amd64, "amd64"), (arm64, "arm64") }.Select(one => new
            {
                mediaType = ManifestType,
                size = registry._blobs[one.Item1].Content.Length,
                digest = one.Item1,
                platform = new { architecture = one.Item2, os = "linux" },
            }),
        });
        registry._blobs["10"] = (list, ListType);
        registry._listener.Prefixes.Add($"http://localhost:{registry._port}/");
        registry._listener.Start();
        _ = Task.Run(registry.ServeAsync);
        return registry;
    }

    public void Dispose() => _listener.Close();

    private async Task<string> AddAsync(string architecture, IEnumerable<(string Name, string Source)> files)
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "tmp/") { Mode = (UnixFileMode)0x3ff, ModificationTime = DateTimeOffset.UnixEpoch });
            foreach (var (name, source) in files) await writer.WriteEntryAsync(source, name);
        }

        var layer = new MemoryStream();
        await using (var compressed = new GZipStream(layer, CompressionLevel.Fastest, leaveOpen: true)) await compressed.WriteAsync(tar.GetBuffer().AsMemory(0, (int)tar.Length));
        var config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture,
            os = "linux",
            created = "1970-01-01T00:00:00Z",
            config = new { Env = Variables, User = "1654" },
            rootfs = new { type = "layers", diff_ids = new[] { Digest(tar.GetBuffer().AsSpan(0, (int)tar.Length)) } },
            history = new[] { new { created = "1970-01-01T00:00:00Z", created_by = "base" } },
        });
        var (layerDigest, configDigest) = (Add(layer.ToArray(), "application/octet-stream"), Add(config, "application/octet-stream"));
        return Add(
            JsonSerializer.SerializeToUtf8Bytes(new
            {
                schemaVersion = 2,
                mediaType = ManifestType,
                config = new { mediaType = "application/vnd.docker.container.image.v1+json", size = config.Length, digest = configDigest },
                layers = new[] { new { mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip", size = layer.Length, digest = layerDigest } },
            }), ManifestType);
    }

    private string Add(byte[] content, string type)
    {
        var digest = Digest(content);
        _blobs[digest] = (content, type);
        return digest;
    }

    private static string Digest(ReadOnlySpan<byte> content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                await AnswerAsync(await _listener.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var response = context.Response;
        response.AddHeader("Docker-Distribution-Api-Version", "registry/2.0");
        if (context.Request.Url!.AbsolutePath is "/v2/") return;
        if (!_blobs.TryGetValue(context.Request.Url.AbsolutePath.Split('/')[^1], out var blob))
        {
            response.StatusCode = 404;
            return;
        }

        response.ContentType = blob.Type;
        response.ContentLength64 = blob.Content.Length;
        response.AddHeader("Docker-Content-Digest", Digest(blob.Content));
        if (context.Request.HttpMethod is not "HEAD") await response.OutputStream.WriteAsync(blob.Content);
    }
}

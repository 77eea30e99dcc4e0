using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>
/// A registry on <c>localhost:5000</c> with one image, for machines that reach no other: this machine's own .NET
/// runtime and the libraries it needs (OCI Distribution Specification, the part for reading).
/// </summary>
internal sealed class BaseImageRegistry : IDisposable
{
    /// <summary>The image's reference.</summary>
    public const string Reference = "localhost:5000/lab-base:10";

    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";
    private static readonly string[] Variables = ["PATH=/usr/share/dotnet:/usr/bin", "DOTNET_ROOT=/usr/share/dotnet", "DOTNET_RUNNING_IN_CONTAINER=true"];

    private readonly HttpListener _listener = new();
    private readonly Dictionary<string, (byte[]? Content, string? File, string Type)> _blobs = [];
    private readonly byte[] _manifest;

    private BaseImageRegistry(byte[] manifest) => _manifest = manifest;

    /// <summary>Makes the image and serves it.</summary>
    /// <param name="directory">Where its layer is kept.</param>
    public static async Task<BaseImageRegistry> StartAsync(string directory)
    {
        var layer = Path.Combine(directory, "base.tar.gz");
        var (diffId, digest) = await WriteLayerAsync(layer);
        var config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture = "amd64",
            os = "linux",
            created = "1970-01-01T00:00:00Z",
            config = new { Env = Variables, User = "1654" },
            rootfs = new { type = "layers", diff_ids = new[] { $"sha256:{diffId}" } },
            history = new[] { new { created = "1970-01-01T00:00:00Z", created_by = "base" } },
        });
        var configDigest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(config))}";
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ManifestType,
            config = new { mediaType = "application/vnd.docker.container.image.v1+json", size = config.Length, digest = configDigest },
            layers = new[] { new { mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip", size = new FileInfo(layer).Length, digest = $"sha256:{digest}" } },
        });

        var registry = new BaseImageRegistry(manifest);
        registry._blobs[configDigest] = (config, null, "application/octet-stream");
        registry._blobs[$"sha256:{digest}"] = (null, layer, "application/octet-stream");
        registry._listener.Prefixes.Add("http://localhost:5000/");
        registry._listener.Start();
        _ = Task.Run(registry.ServeAsync);
        return registry;
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                _ = Task.Run(() => AnswerAsync(context));
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var name = context.Request.Url!.AbsolutePath.Split('/')[^1];
        var isManifest = context.Request.Url.AbsolutePath.Contains("/manifests/", StringComparison.Ordinal);
        (byte[]? Content, string? File, string Type) blob = isManifest ? (_manifest, null, ManifestType)
            : context.Request.Url.AbsolutePath is "/v2/" ? ("{}"u8.ToArray(), null, "application/json")
            : _blobs.GetValueOrDefault(name);
        using var response = context.Response;
        if (blob.Type is null)
        {
            response.StatusCode = 404;
            return;
        }

        response.ContentType = blob.Type;
        response.AddHeader("Docker-Distribution-Api-Version", "registry/2.0");
        if (isManifest) response.AddHeader("Docker-Content-Digest", $"sha256:{Convert.ToHexStringLower(SHA256.HashData(_manifest))}");
        response.ContentLength64 = blob.Content?.Length ?? new FileInfo(blob.File!).Length;
        if (context.Request.HttpMethod is "HEAD") return;
        if (blob.Content is { } content)
        {
            await response.OutputStream.WriteAsync(content);
        }
        else
        {
            await using var file = File.OpenRead(blob.File!);
            await file.CopyToAsync(response.OutputStream);
        }
    }

    private static async Task<(string DiffId, string Digest)> WriteLayerAsync(string path)
    {
        string diffId;
        await using (var file = File.Create(path))
        {
            using var hash = SHA256.Create();
            await using (var compressed = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
            await using (var hashed = new CryptoStream(compressed, hash, CryptoStreamMode.Write, leaveOpen: true))
            await using (var tar = new TarWriter(hashed, TarEntryFormat.Pax, leaveOpen: true))
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "tmp/") { Mode = (UnixFileMode)0x3ff, ModificationTime = DateTimeOffset.UnixEpoch });
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "etc/passwd") { ModificationTime = DateTimeOffset.UnixEpoch, DataStream = new MemoryStream(Encoding.ASCII.GetBytes("root:x:0:0::/:/x\napp:x:1654:1654::/tmp:/x\n")) });
                foreach (var (name, source) in Files())
                {
                    await using var content = File.OpenRead(source);
                    await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name.TrimStart('/')) { Mode = File.GetUnixFileMode(source), ModificationTime = DateTimeOffset.UnixEpoch, DataStream = content });
                }
            }

            diffId = Convert.ToHexStringLower(hash.Hash!);
        }

        await using var written = File.OpenRead(path);
        return (diffId, Convert.ToHexStringLower(await SHA256.HashDataAsync(written)));
    }

    /// <summary>The runtime, at the place where a program's host looks for it, and the libraries, where the loader does.</summary>
    private static IEnumerable<(string Name, string Source)> Files()
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var root = Path.GetFullPath(Path.Combine(framework, "..", "..", ".."));
        var version = Path.GetFileName(framework);
        var web = Path.GetDirectoryName(typeof(Microsoft.AspNetCore.Http.HttpContext).Assembly.Location)!;
        string[] directories = [framework, web, Path.Combine(root, "host", "fxr", version)];
        foreach (var file in directories.SelectMany(directory => Directory.EnumerateFiles(directory)).Append(Path.Combine(root, "dotnet")))
            yield return ($"usr/share/dotnet/{Path.GetRelativePath(root, file)}", file);

        const string Libraries = "/usr/lib/x86_64-linux-gnu";
        string[] names = ["libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1", "libssl.so.3", "libcrypto.so.3"];
        var icu = Directory.EnumerateFiles(Libraries, "libicu*.so.??").Where(file => Path.GetFileName(file) is var name && (name.StartsWith("libicuuc", StringComparison.Ordinal) || name.StartsWith("libicui18n", StringComparison.Ordinal) || name.StartsWith("libicudata", StringComparison.Ordinal)));
        foreach (var file in names.Select(name => Path.Combine(Libraries, name)).Concat(icu)) yield return (file, file);
        yield return ("lib64/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2");
    }
}

using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>Writes layers whose bytes depend on their files alone: no times, no owners, one order.</summary>
internal static class LayerWriter
{
    private const int MaxUsualName = 100;
    private const UnixFileMode FileMode644 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode FileMode755 = FileMode644 | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Writes a layer into the directory, under the name that its content gives it.</summary>
    /// <param name="part">The layer's part of the image.</param>
    /// <param name="files">Its files, ordered by path.</param>
    /// <param name="directory">Where layers are kept.</param>
    /// <param name="cancellationToken">Stops between two files.</param>
    public static async Task<ImageLayer> WriteAsync(
        string part, IReadOnlyList<PublishedFile> files, string directory, CancellationToken cancellationToken)
    {
        return await StoreAsync(part, directory, async stream =>
        {
            await using var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true);
            foreach (var parent in files.SelectMany(file => Parents(file.Path)).Distinct().Order(StringComparer.Ordinal))
                await tar.WriteEntryAsync(Entry(TarEntryType.Directory, parent + "/", FileMode755), cancellationToken);
            foreach (var file in files)
            {
                await using var content = file.Open();
                var entry = Entry(TarEntryType.RegularFile, file.Path, file.IsExecutable ? FileMode755 : FileMode644);
                entry.DataStream = content;
                await tar.WriteEntryAsync(entry, cancellationToken);
            }
        });
    }

    /// <summary>Keeps a layer of another image as it is; one that is not compressed yet is.</summary>
    public static async Task<ImageLayer> KeepAsync(Stream layer, string directory, CancellationToken cancellationToken)
    {
        var head = new byte[2];
        await layer.ReadExactlyAsync(head, cancellationToken);
        layer.Position = 0;
        if (head is not [0x1f, 0x8b]) return await StoreAsync("base", directory, stream => layer.CopyToAsync(stream, cancellationToken));

        using var compressed = SHA256.Create();
        using var plain = SHA256.Create();
        Directory.CreateDirectory(directory);
        var temporary = Path.Combine(directory, $".{Guid.NewGuid():N}.part");
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                await layer.CopyToAsync(file, cancellationToken);
                file.Position = 0;
                await compressed.ComputeHashAsync(file, cancellationToken);
                file.Position = 0;
                await using var content = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
                await plain.ComputeHashAsync(content, cancellationToken);
            }

            var kept = new ImageLayer("base", Convert.ToHexStringLower(plain.Hash!), Convert.ToHexStringLower(compressed.Hash!), new FileInfo(temporary).Length);
            File.Move(temporary, Path.Combine(directory, kept.FileName), overwrite: true);
            return kept;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static async Task<ImageLayer> StoreAsync(string part, string directory, Func<Stream, Task> write)
    {
        Directory.CreateDirectory(directory);
        var temporary = Path.Combine(directory, $".{Guid.NewGuid():N}.part");
        try
        {
            string diffId, sha256;
            long bytes;
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                using var hash = SHA256.Create();
                await using (var compressed = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true))
                await using (var hashed = new CryptoStream(compressed, hash, CryptoStreamMode.Write, leaveOpen: true))
                    await write(hashed);
                diffId = Convert.ToHexStringLower(hash.Hash!);
                bytes = file.Length;
                file.Position = 0;
                sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file));
            }

            var layer = new ImageLayer(part, diffId, sha256, bytes);
            File.Move(temporary, Path.Combine(directory, layer.FileName), overwrite: true);
            return layer;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    // A longer name has no room in the usual format; GNU's gives it an entry of its own, which all that read images understand.
    private static TarEntry Entry(TarEntryType type, string name, UnixFileMode mode)
    {
        TarEntry entry = Encoding.UTF8.GetByteCount(name) <= MaxUsualName ? new UstarTarEntry(type, name) : new GnuTarEntry(type, name);
        (entry.Mode, entry.ModificationTime) = (mode, DateTimeOffset.UnixEpoch);
        return entry;
    }

    private static IEnumerable<string> Parents(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
            yield return path[..slash];
    }
}

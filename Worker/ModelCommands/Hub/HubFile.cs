using System.Security.Cryptography;
using System.Text;

namespace Lab.Worker.ModelCommands.Hub;

/// <summary>A file as the hub's metadata describe it.</summary>
/// <param name="Name">Its name in the repository.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">SHA-256 of a large file, in hexadecimal; small ones have none.</param>
/// <param name="BlobId">Git's name of a small file's content: SHA-1 over a header with the size, and the content.</param>
internal sealed record HubFile(string Name, long Bytes, string? Sha256, string? BlobId)
{
    /// <summary>Whether a local file has this size and content.</summary>
    public async Task<bool> IsAsync(string path, CancellationToken cancellationToken)
    {
        if (new FileInfo(path) is not { Exists: true } info || info.Length != Bytes) return false;
        using var file = File.OpenRead(path);
        if (Sha256 is not null) return Same(await SHA256.HashDataAsync(file, cancellationToken), Sha256);
#pragma warning disable CA5350 // Not a choice: it is how Git names what it stores, and no secret depends on it.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        hash.AppendData(Encoding.ASCII.GetBytes($"blob {Bytes}\0"));
        var buffer = new byte[1 << 16];
        while (await file.ReadAsync(buffer, cancellationToken) is > 0 and var read) hash.AppendData(buffer, 0, read);
        return Same(hash.GetHashAndReset(), BlobId!);
    }

    private static bool Same(byte[] hash, string expected) =>
        Convert.ToHexString(hash).Equals(expected, StringComparison.OrdinalIgnoreCase);
}

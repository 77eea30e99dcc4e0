namespace Lab.Worker.Checkpoints;

/// <summary>
/// Opens files that somebody else has put where they are: only what is a file, and of a bounded size. A pipe, which would
/// be waited for, a device, which never ends, and a Git LFS pointer (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md)
/// are refused by name.
/// </summary>
internal static class RegularFile
{
    private const int MaxPointerBytes = 1024;

    private static ReadOnlySpan<byte> PointerStart => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>Whether anything has this name. A link that leads nowhere counts: to open it tells so.</summary>
    public static bool Exists(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>Opens a file for reading, without a buffer.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The largest size allowed.</param>
    /// <exception cref="ModelDirectoryException">There is no such file, it may not be read, it is too large, or it is no file.</exception>
    public static FileStream Open(string path, long maxBytes)
    {
        FileStream? file = null;
        try
        {
            if (Directory.Exists(path)) throw new ModelDirectoryException(path, "is a directory, not a file");
            if (FileState.Of(path) is { IsRegular: false }) throw new ModelDirectoryException(path, "is a pipe, a socket or a device, not a file");
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (file.Length > maxBytes) throw new ModelDirectoryException(path, $"has {file.Length} bytes; more than {maxBytes} are not read");
            if (IsPointer(file)) throw new ModelDirectoryException(path, "is a Git LFS pointer in the file's place; \"git lfs pull\" in its repository fetches the file");
            return file;
        }
        catch (Exception e)
        {
            file?.Dispose();
            if (Problem(path, e) is { } problem) throw problem;
            throw;
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The largest size allowed.</param>
    /// <exception cref="ModelDirectoryException">As for <see cref="Open"/>, or the file was changed while it was read.</exception>
    public static byte[] Read(string path, int maxBytes)
    {
        using var file = Open(path, maxBytes);
        try
        {
            var bytes = new byte[file.Length];
            if (file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length || file.ReadByte() >= 0)
                throw new ModelDirectoryException(path, "was changed while it was read");
            return bytes;
        }
        catch (Exception e) when (Problem(path, e) is { } problem)
        {
            throw problem;
        }
    }

    private static bool IsPointer(FileStream file)
    {
        if (file.Length >= MaxPointerBytes) return false;
        Span<byte> start = stackalloc byte[PointerStart.Length];
        return RandomAccess.Read(file.SafeFileHandle, start, 0) == start.Length && start.SequenceEqual(PointerStart);
    }

    private static ModelDirectoryException? Problem(string path, Exception exception) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException when new FileInfo(path).LinkTarget is { } target => new(path, $"is a link to {target}, which does not exist"),
        FileNotFoundException or DirectoryNotFoundException => new(path, "does not exist"),
        UnauthorizedAccessException => new(path, "may not be read by this user"),
        IOException => new(path, $"cannot be read: {exception.Message}"),
        _ => null,
    };
}

using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// A safetensors file, mapped into memory rather than read: its pages belong to the page cache, shared by all workers
/// of a host. The file must not be shortened while it is open.
/// </summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>A longer header is refused before it is read: a classifier has some hundred tensors at most.</summary>
    public const int MaxHeaderBytes = 16 << 20;

    private const int LengthBytes = sizeof(ulong);

    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _data;

    private SafetensorsFile(string path, MemoryMappedFile map, MemoryMappedViewAccessor view, byte* start, long fileBytes)
    {
        Path = path;
        FileBytes = fileBytes;
        _map = map;
        _view = view;
        var headerBytes = HeaderBytes(path, start, fileBytes);
        _data = start + LengthBytes + headerBytes;
        Entries = SafetensorsHeader.Read(
            path, new ReadOnlySpan<byte>(start + LengthBytes, headerBytes).ToArray(), fileBytes - LengthBytes - headerBytes);
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>The file's size.</summary>
    public long FileBytes { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="ModelDirectoryException">The file is missing, unreadable, truncated, or contradicts the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        MemoryMappedFile? map = null;
        MemoryMappedViewAccessor? view = null;
        byte* start = null;
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            long fileBytes;
            try
            {
                fileBytes = file.Length;
                if (fileBytes < LengthBytes)
                    throw new ModelDirectoryException(path, $"has {fileBytes} bytes, too few for a safetensors file");
                map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            }
            catch
            {
                file.Dispose();
                throw;
            }

            view = map.CreateViewAccessor(0, fileBytes, MemoryMappedFileAccess.Read);
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return new(path, map, view, start + view.PointerOffset, fileBytes);
        }
        catch (Exception e)
        {
            if (start is not null) view!.SafeMemoryMappedViewHandle.ReleasePointer();
            view?.Dispose();
            map?.Dispose();
            throw e switch
            {
                FileNotFoundException or DirectoryNotFoundException => new ModelDirectoryException(path, "does not exist"),
                IOException or UnauthorizedAccessException => new ModelDirectoryException(path, $"cannot be read: {e.Message}"),
                ModelDirectoryException known => known,
                _ => new InvalidOperationException($"{path} could not be opened.", e),
            };
        }
    }

    /// <summary>A tensor's bytes, little-endian, row-major; valid until the file is disposed.</summary>
    /// <exception cref="ModelDirectoryException">The tensor is larger than 2 GiB.</exception>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry)
    {
        var length = entry.End - entry.Begin;
        if (length > int.MaxValue) throw new ModelDirectoryException(Path, entry.Name, "is larger than 2 GiB");
        return new(_data + entry.Begin, (int)length);
    }

    /// <summary>Unmaps the file: every span and address taken from it dangles from now on.</summary>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }

    private static int HeaderBytes(string path, byte* start, long fileBytes)
    {
        var claimed = BinaryPrimitives.ReadUInt64LittleEndian(new(start, LengthBytes));
        if (claimed > MaxHeaderBytes)
            throw new ModelDirectoryException(path, $"claims a header of {claimed} bytes; more than {MaxHeaderBytes} are not read");
        if (claimed > (ulong)(fileBytes - LengthBytes))
            throw new ModelDirectoryException(path, $"claims a header of {claimed} bytes, but has only {fileBytes} bytes in all");
        return (int)claimed;
    }
}

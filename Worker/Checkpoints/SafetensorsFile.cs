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

    /// <summary>A larger file is refused: far beyond any classifier, and less than can be mapped.</summary>
    public const long MaxFileBytes = 1L << 36;

    /// <summary>What stands before the header: its length, little-endian.</summary>
    public const int LengthBytes = sizeof(ulong);

    private readonly FileStream _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _data;
    private readonly FileState? _state;

    private SafetensorsFile(string path, FileState? state, FileStream file, MemoryMappedFile map, MemoryMappedViewAccessor view, byte* data, IReadOnlyDictionary<string, SafetensorsEntry> entries)
    {
        Path = path;
        _state = state;
        FileBytes = view.Capacity;
        Entries = entries;
        _file = file;
        _map = map;
        _view = view;
        _data = data;
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>The file's size.</summary>
    public long FileBytes { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <summary>Checks a file's header and maps the file.</summary>
    /// <exception cref="ModelDirectoryException">The file is missing, unreadable, truncated, or contradicts the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        var state = FileState.Of(path);
        var file = RegularFile.Open(path, MaxFileBytes);
        MemoryMappedFile? map = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            var fileBytes = file.Length;
            var header = ReadHeader(path, file, fileBytes);
            var entries = SafetensorsHeader.Read(path, header, fileBytes - LengthBytes - header.Length);
            map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = map.CreateViewAccessor(0, fileBytes, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return new(path, state, file, map, view, start + view.PointerOffset + LengthBytes + header.Length, entries);
        }
        catch (Exception e)
        {
            view?.Dispose();
            map?.Dispose();
            file.Dispose();
            // A file that was shortened in the meantime, or that is larger than what may be mapped.
            if (e is IOException or UnauthorizedAccessException or ArgumentException or OutOfMemoryException)
                throw new ModelDirectoryException(path, $"cannot be read: {e.Message}");
            throw;
        }
    }

    /// <summary>A tensor's bytes, little-endian, row-major; valid until the file is disposed.</summary>
    /// <exception cref="ModelDirectoryException">The tensor is larger than 2 GiB, or the file was shortened since it was opened.</exception>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry)
    {
        var length = entry.End - entry.Begin;
        if (length > int.MaxValue) throw new ModelDirectoryException(Path, entry.Name, "is larger than 2 GiB");
        // To touch what is mapped beyond a file's end would end the process.
        if (_file.Length < FileBytes) throw new ModelDirectoryException(Path, $"was shortened from {FileBytes} to {_file.Length} bytes while it was read");
        return new(_data + entry.Begin, (int)length);
    }

    /// <summary>Refuses a file that is no longer what was opened: of what was read nobody knows what it was.</summary>
    /// <exception cref="ModelDirectoryException">It was changed or replaced.</exception>
    public void CheckUnchanged()
    {
        if (FileState.Of(Path) != _state) throw new ModelDirectoryException(Path, "was changed while it was read");
    }

    /// <summary>Unmaps the file: every span and address taken from it dangles from now on.</summary>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _file.Dispose();
    }

    private static byte[] ReadHeader(string path, FileStream file, long fileBytes)
    {
        if (fileBytes < LengthBytes) throw new ModelDirectoryException(path, $"has {fileBytes} bytes, too few for a safetensors file");
        Span<byte> length = stackalloc byte[LengthBytes];
        file.ReadExactly(length);
        var claimed = BinaryPrimitives.ReadUInt64LittleEndian(length);
        if (claimed > MaxHeaderBytes)
            throw new ModelDirectoryException(path, $"claims a header of {claimed} bytes; more than {MaxHeaderBytes} are not read");
        if (claimed > (ulong)(fileBytes - LengthBytes))
            throw new ModelDirectoryException(path, $"claims a header of {claimed} bytes, but has only {fileBytes} bytes in all");
        var header = new byte[(int)claimed];
        file.ReadExactly(header);
        return header;
    }
}

using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lab.ServiceDefaults.Access;

/// <summary>What a file holds, or why it cannot be read; compared byte by byte.</summary>
/// <param name="Bytes">What it holds; <c>null</c> where it cannot be read.</param>
/// <param name="Fault">Why it cannot be read, with its path, in one line; <c>null</c> where it can.</param>
/// <param name="IsMissing">Whether there is no such file.</param>
public sealed partial record FileContent(ReadOnlyMemory<byte>? Bytes, string? Fault, bool IsMissing = false)
{
    // open(2) on Linux, the same on every processor that .NET runs on.
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int NoEntry = 2;

    /// <summary>It as text, without a byte-order mark; UTF-8 where no mark says otherwise. Empty where it cannot be read.</summary>
    public string Text
    {
        get
        {
            using var reader = new StreamReader(new MemoryStream((Bytes ?? default).ToArray()));
            return reader.ReadToEnd();
        }
    }

    /// <summary>Reads a file, through links, and never waits for what stands in its place and is no file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The largest size that is read.</param>
    public static FileContent Read(string path, int maxBytes)
    {
        try
        {
            if (Directory.Exists(path)) return new(null, $"'{path}' is a directory, not a file.");
            using var file = Open(path);
            if (file is null) return new(null, $"Could not find file '{path}'.", IsMissing: true);
            if (!file.CanSeek) return new(null, $"'{path}' is a pipe or a device, not a file: it could not be read again when it changes.");
            if (file.Length > maxBytes) return TooLarge(path, maxBytes);
            // To its end, wherever that is: it may grow meanwhile, and some file systems tell no length.
            var buffer = new ArrayBufferWriter<byte>((int)file.Length + 1);
            while (file.Read(buffer.GetSpan()) is > 0 and var read)
            {
                buffer.Advance(read);
                if (buffer.WrittenCount > maxBytes) return TooLarge(path, maxBytes);
            }

            return new(buffer.WrittenMemory, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return new(null, e.Message.ReplaceLineEndings(" "), IsMissing: e is FileNotFoundException);
        }
    }

    /// <summary>Whether both hold the same, or cannot be read for the same reason.</summary>
    public bool Equals(FileContent? other) =>
        other is not null && Fault == other.Fault && Bytes.HasValue == other.Bytes.HasValue && (Bytes ?? default).Span.SequenceEqual((other.Bytes ?? default).Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Fault, Bytes?.Length);

    private static FileContent TooLarge(string path, int maxBytes) => new(null, $"'{path}' is larger than {maxBytes} bytes.");

    private static FileStream? Open(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            var handle = OpenFile(path, NonBlocking | CloseOnExec);
            if (!handle.IsInvalid) return new FileStream(handle, FileAccess.Read, bufferSize: 0);
            // Asked for again and again, a file that need not be there costs no exception.
            if (Marshal.GetLastPInvokeError() == NoEntry && Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))) return null;
        }

        // Elsewhere; and for its exception, which says what is wrong.
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    }

    // .NET's own would wait at a pipe until somebody writes to it.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenFile(string path, int flags);
}

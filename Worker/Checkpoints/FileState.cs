using System.Runtime.InteropServices;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// What tells one state of a file from another without reading it: where it lies, its size, and when it was last written
/// and last changed in any way, to the nanosecond, as far as the system tells time. No program sets the last of these.
/// </summary>
/// <param name="Device">The file system's number.</param>
/// <param name="Inode">The file's number in it.</param>
/// <param name="Bytes">The file's size.</param>
/// <param name="Written">Nanoseconds since 1970.</param>
/// <param name="Changed">Nanoseconds since 1970.</param>
/// <param name="Mode">Its type and permissions, as in inode(7).</param>
internal readonly partial record struct FileState(ulong Device, ulong Inode, ulong Bytes, long Written, long Changed, ushort Mode)
{
    private const int TypeMask = 0xF000;
    private const int RegularType = 0x8000;

    private const int CurrentDirectory = -100;
    private const uint BasicStats = 0x7ff;

    // Of struct statx, which is the same on every processor.
    private const int StatxBytes = 256;

    /// <summary>Whether it is a file, and no directory, pipe, socket or device.</summary>
    public bool IsRegular => (Mode & TypeMask) == RegularType;

    /// <summary>A file's state; null where the system does not tell all of this (elsewhere than on Linux) or there is no such file.</summary>
    public static FileState? Of(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            if (Statx(CurrentDirectory, path, 0, BasicStats, out var file) != 0 || (file.Mask & BasicStats) != BasicStats) return null;
            return new((ulong)file.DeviceMajor << 32 | file.DeviceMinor, file.Inode, file.Size, file.Modified.Nanoseconds, file.Changed.Nanoseconds, file.Mode);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library older than the call.
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, out StatxFile file);

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct StatxTime
    {
        [FieldOffset(0)]
        public long Seconds;

        [FieldOffset(8)]
        public uint Fraction;

        public readonly long Nanoseconds => Seconds * 1_000_000_000 + Fraction;
    }

    [StructLayout(LayoutKind.Explicit, Size = StatxBytes)]
    private struct StatxFile
    {
        [FieldOffset(0)]
        public uint Mask;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(96)]
        public StatxTime Changed;

        [FieldOffset(112)]
        public StatxTime Modified;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}

using System.Formats.Tar;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>
/// Whether what a path names is a file, seen without opening it: a pipe would be waited for, and a device is endless or
/// does something.
/// </summary>
internal static class PlainFile
{
    /// <summary>What is wrong, or null: it is a file, or links lead to one.</summary>
    /// <param name="path">The path.</param>
    /// <param name="maxBytes">The largest size that is borne.</param>
    public static string? Problem(string path, long maxBytes = long.MaxValue)
    {
        if (Directory.Exists(path)) return "it is a directory";
        if (Links.LeadsNowhere(path, out var target)) return $"it is a link to {target}, where nothing is";
        if (!File.Exists(path)) return "it does not exist";
        try
        {
            var file = new FileInfo(path);
            file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
            if (file.Length > maxBytes) return FormattableString.Invariant($"it has {file.Length} bytes, and more than {maxBytes} are not read");
            // Only files have a size.
            return file.Length > 0 || IsFile(file.FullName) ? null : "it is a pipe, a socket or a device, not a file";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message.TrimEnd('.');
        }
    }

    // .NET tells the kinds apart in archives alone: this one is of an empty file, or of something that is not opened for it.
    private static bool IsFile(string path)
    {
        if (OperatingSystem.IsWindows()) return true;
        using var archive = new MemoryStream();
        try
        {
            using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true)) writer.WriteEntry(path, "file");
        }
        catch (IOException)
        {
            // Sockets are in no archive.
            return false;
        }

        archive.Position = 0;
        using var reader = new TarReader(archive);
        return reader.GetNextEntry()?.EntryType is TarEntryType.RegularFile;
    }
}

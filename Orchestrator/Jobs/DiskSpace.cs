namespace Lab.Orchestrator.Jobs;

/// <summary>How much of a disk is free, in bytes.</summary>
internal readonly record struct DiskSpace(long Free, long Total)
{
    private const long MaxFloor = 256L << 20;

    /// <summary>What is always left free for others, and for the log that is written ahead.</summary>
    public long Floor => Math.Min(Total / 20, MaxFloor);

    /// <summary>The disk that a directory is on; <c>null</c> where nobody can tell.</summary>
    public static DiskSpace? Of(string directory)
    {
        try
        {
            var drive = new DriveInfo(directory);
            return new(drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}

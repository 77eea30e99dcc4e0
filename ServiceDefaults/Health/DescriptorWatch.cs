using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Health;

/// <summary>
/// Tells when the process runs out of file descriptors (Linux): connections are then no longer taken, and nothing else
/// says why.
/// </summary>
internal sealed partial class DescriptorWatch(TimeProvider time, ILogger<DescriptorWatch> logger) : BackgroundService
{
    private const string Directory = "/proc/self/fd";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>How many descriptors the process may have open; <c>null</c> where that is not known.</summary>
    public static long? Limit => OperatingSystem.IsLinux() ? LimitIn(File.ReadLines("/proc/self/limits")) : null;

    /// <summary>Takes a count, and tells where it is too high for the first time.</summary>
    /// <param name="open">How many are open; <c>null</c> where there is not even one left to count with.</param>
    /// <param name="limit">How many may be.</param>
    /// <param name="wasScarce">What it came to the last time.</param>
    /// <returns>Whether more than nine tenths of the descriptors are in use.</returns>
    public bool Check(long? open, long limit, bool wasScarce)
    {
        var isScarce = open is null || open > limit / 10 * 9;
        if (isScarce && !wasScarce) LogScarce(logger, open ?? limit, limit);
        return isScarce;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Limit is not { } limit) return;
        using var timer = new PeriodicTimer(Interval, time);
        for (var isScarce = false; await timer.WaitForNextTickAsync(stoppingToken);) isScarce = Check(Count(), limit, isScarce);
    }

    // Reading the list takes a descriptor too.
    private static long? Count()
    {
        try
        {
            return System.IO.Directory.EnumerateFileSystemEntries(Directory).LongCount();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Max open files            1024                 1048576              files
    private static long? LimitIn(IEnumerable<string> limits) =>
        limits.FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal))?
            .Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, var soft, ..] && long.TryParse(soft, CultureInfo.InvariantCulture, out var limit)
            ? limit
            : null;

    [LoggerMessage(1, LogLevel.Error, "{Open} file descriptors of {Limit} are in use: connections will be refused. Raise the limit (ulimit -n), or look for who opens so many")]
    private static partial void LogScarce(ILogger logger, long open, long limit);
}

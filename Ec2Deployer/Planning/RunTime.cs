using System.Globalization;

namespace Lab.Ec2Deployer.Planning;

/// <summary>How long an instance has run in all. EC2 tells the last start alone: what was before is kept in a tag when it is stopped.</summary>
internal static class RunTime
{
    /// <summary>The time in all.</summary>
    public static TimeSpan Of(ObservedInstance instance, DateTimeOffset now)
    {
        var (before, counted) = Kept(instance);
        return counted == Start(instance) || instance.State is not ("running" or "pending") ? before : before + Since(instance, now);
    }

    /// <summary>The tag's value for an instance that is about to be stopped; null where its present run is counted already.</summary>
    public static string? Tag(ObservedInstance instance, DateTimeOffset now)
    {
        var (before, counted) = Kept(instance);
        return counted == Start(instance) ? null : string.Create(CultureInfo.InvariantCulture, $"{(long)(before + Since(instance, now)).TotalSeconds} {Start(instance)}");
    }

    private static TimeSpan Since(ObservedInstance instance, DateTimeOffset now) => now > instance.LaunchedAt ? now - instance.LaunchedAt : TimeSpan.Zero;

    private static string Start(ObservedInstance instance) => instance.LaunchedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static (TimeSpan Before, string Counted) Kept(ObservedInstance instance) =>
        instance.Tags.GetValueOrDefault(LabTags.Ran)?.Split(' ') is [var seconds, var start] && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var ran)
            ? (TimeSpan.FromSeconds(ran), start)
            : (TimeSpan.Zero, "");
}

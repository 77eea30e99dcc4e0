using System.Globalization;

namespace Lab.Ec2Deployer.Planning;

/// <summary>When hosts end by themselves, as their tags tell it: an absolute moment, whatever is stopped and started in between.</summary>
internal static class HostEnd
{
    private const string Form = "yyyy-MM-dd'T'HH:mm'Z'";

    /// <summary>The shortest time to an end.</summary>
    public static TimeSpan Minimum { get; } = TimeSpan.FromMinutes(10);

    /// <summary>The longest time to an end.</summary>
    public static TimeSpan Maximum { get; } = TimeSpan.FromDays(30);

    /// <summary>The moment at which an instance ends itself, or null: never. Where only a duration was given at its launch, to a minute or so.</summary>
    public static DateTimeOffset? Of(ObservedInstance instance) =>
        Set(instance) ?? (instance.Tags.GetValueOrDefault(LabTags.Ttl) is { } ttl && Durations.Parse(ttl) is { } life ? (instance.FirstStartedAt ?? instance.LaunchedAt) + life : null);

    /// <summary>The moment that was set by 'ttl' for all hosts that exist, which new ones share; null where it was not, or for some of them only.</summary>
    public static DateTimeOffset? Shared(IReadOnlyCollection<ObservedInstance> instances) => instances.Any(instance => Set(instance) is null) ? null : instances.Max(Set);

    /// <summary>The moment as a tag's value.</summary>
    public static string Tag(DateTimeOffset end) => end.UtcDateTime.ToString(Form, CultureInfo.InvariantCulture);

    /// <summary>The moment for people.</summary>
    public static string Text(DateTimeOffset end) => end.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>The whole minute at or after a moment: tags and timers have no seconds.</summary>
    public static DateTimeOffset WholeMinute(DateTimeOffset moment) =>
        new((moment.UtcTicks + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero);

    private static DateTimeOffset? Set(ObservedInstance instance) =>
        DateTimeOffset.TryParseExact(instance.Tags.GetValueOrDefault(LabTags.End), Form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var end) ? end : null;
}

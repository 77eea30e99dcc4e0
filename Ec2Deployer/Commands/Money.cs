using System.Globalization;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Money as every command writes it: US dollars, the same amount in the same digits wherever it stands.</summary>
internal static class Money
{
    /// <summary>A rate: <c>0.308</c>; one below ten cents keeps the digits that tell it: <c>0.0035</c>.</summary>
    public static string Rate(decimal? usd) => usd?.ToString(usd is < 0.1m and > 0 ? "F4" : "F3", CultureInfo.InvariantCulture) ?? "unknown";

    /// <summary>The rate of something of which perhaps only the most that it costs is known: <c>at most 0.308</c>.</summary>
    /// <param name="usd">The rate.</param>
    /// <param name="isAtMost">Whether it may be less.</param>
    public static string Rate(decimal? usd, bool isAtMost) => isAtMost && usd is not null ? $"at most {Rate(usd)}" : Rate(usd);

    /// <summary>A sum, to the cent.</summary>
    public static string Sum(decimal? usd) => usd?.ToString("F2", CultureInfo.InvariantCulture) ?? "unknown";

    /// <summary>A rate for programs: the digits that a sum over months needs, and not those of a division.</summary>
    public static decimal? Exact(decimal? usd) => usd is { } known ? Math.Round(known, 6) : null;

    /// <summary>Such as <c>0.308 US dollars an hour</c>, or <c>at most</c> so much, or that it is unknown, and of what.</summary>
    /// <param name="cost">What is paid for.</param>
    /// <param name="region">Where.</param>
    public static string PerHour(Cost cost, string region) =>
        cost.HourlyUsd is { } usd ? $"{Rate(usd, cost.IsAtMost)} US dollars an hour" : $"an unknown price ({Missing(cost, region)})";

    /// <summary>What has no price, as a part of a sentence.</summary>
    public static string Missing(Cost cost, string region) => $"no price is known in {region} for {string.Join(", ", cost.Unknown)}";
}

using System.Globalization;
using Amazon.EC2;
using Amazon.EC2.Model;

namespace Lab.Ec2Deployer.Planning;

/// <summary>How worker hosts are asked for on spot: once, until EC2 takes them back, which ends them. Pure.</summary>
internal static class SpotLaunch
{
    /// <summary>No maximum price is lower, in US dollars an hour: EC2 takes none.</summary>
    public const decimal MinPrice = 0.001m;

    /// <summary>No maximum price is higher: no host costs as much.</summary>
    public const decimal MaxPrice = 100m;

    // Of a host that was being started on demand because there was no spot instance for it.
    private const string OnDemand = " on demand";

    /// <summary>The part of the request that makes it one for a spot instance.</summary>
    /// <param name="options">The maximum price; none leaves it to EC2, which takes the price on demand for it.</param>
    public static InstanceMarketOptionsRequest MarketOptions(DeploymentOptions options) => new()
    {
        MarketType = MarketType.Spot,
        SpotOptions = new SpotMarketOptions
        {
            // A persistent request would start another by itself, which nobody has made a host of the Swarm.
            SpotInstanceType = SpotInstanceType.OneTime,
            InstanceInterruptionBehavior = InstanceInterruptionBehavior.Terminate,
            MaxPrice = options.SpotPrice is { } price ? Text(price) : null,
        },
    };

    /// <summary>A price as EC2 and tags have it.</summary>
    public static string Text(decimal price) => price.ToString("0.######", CultureInfo.InvariantCulture);

    /// <summary>Reads a price, or null where it is none.</summary>
    public static decimal? Price(string? text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var price) && decimal.Round(price, 6) == price ? price : null;

    /// <summary>Where a host is being started, to be remembered: its zone, and whether that is on demand in place of a spot instance.</summary>
    public static string Place(string zone, bool isOnDemandInstead) => isOnDemandInstead ? zone + OnDemand : zone;

    /// <summary>The zone of a remembered place.</summary>
    public static string? ZoneOf(string? place) => place?.EndsWith(OnDemand, StringComparison.Ordinal) == true ? place[..^OnDemand.Length] : place;

    /// <summary>Whether a remembered place is one on demand in place of a spot instance.</summary>
    public static bool IsOnDemandInstead(string? place) => ZoneOf(place) != place;

    /// <summary>Whether a missing host is asked for on spot: one that was being started on demand instead is asked for in the very same way.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="options">What the user asked for.</param>
    /// <param name="place">Where it was last being started, or null.</param>
    public static bool IsAsked(string host, DeploymentOptions options, string? place) => FleetShape.IsSpot(host, options) && !IsOnDemandInstead(place);
}

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// What spot instances cost at most. Their price changes by the hour and is in no table: never more than the maximum price
/// that they were asked for with, which is the price on demand where none was given.
/// </summary>
internal static class SpotCost
{
    /// <summary>A cost with spot instances added to it, those first that are like the others.</summary>
    /// <param name="cost">What else there is.</param>
    /// <param name="region">Where they are.</param>
    /// <param name="running">Type and maximum price of each that exists.</param>
    /// <param name="launches">How many more are asked for as the options say: where EC2 has none, they are started on demand.</param>
    /// <param name="options">Type and maximum price of these.</param>
    public static Cost With(Cost cost, string region, IEnumerable<(string Type, decimal? MaxPrice)> running, int launches, DeploymentOptions options)
    {
        var lines = running.Select(one => (one.Type, Usd: one.MaxPrice ?? OnDemandUsd(region, one.Type)))
            .Concat(Enumerable.Repeat((options.InstanceType, Usd: AtMostForNew(region, options)), launches))
            .CountBy(one => one)
            .Select(one => new CostLine($"{one.Key.Item1} on spot", one.Value, one.Key.Usd) { IsAtMost = true })
            .ToList();
        return lines.Count == 0 ? cost : cost with { Lines = [.. lines, .. cost.Lines] };
    }

    /// <summary>The price of an instance on demand, in US dollars an hour, or null where it is unknown.</summary>
    public static decimal? OnDemandUsd(string region, string type) => PriceTable.Bundled.Of(region, [type], [], publicAddresses: 0).HourlyUsd;

    // On demand is what it may come to; and on spot, where somebody has allowed more than that.
    private static decimal? AtMostForNew(string region, DeploymentOptions options) =>
        OnDemandUsd(region, options.InstanceType) is { } usd ? Math.Max(usd, options.SpotPrice ?? 0) : null;
}

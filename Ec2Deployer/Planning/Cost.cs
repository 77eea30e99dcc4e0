namespace Lab.Ec2Deployer.Planning;

/// <summary>What the hosts cost in US dollars per hour, without taxes and data transfer.</summary>
/// <param name="AsOf">The date of the price table.</param>
/// <param name="Lines">What makes it up.</param>
internal sealed record Cost(DateOnly AsOf, IReadOnlyList<CostLine> Lines)
{
    /// <summary>EC2's month, in hours.</summary>
    public const int HoursPerMonth = 730;

    /// <summary>The whole, or null where a price is unknown: a part of the sum would be taken for the sum.</summary>
    public decimal? HourlyUsd => Lines.Any(line => line.HourlyUsd is null) ? null : Lines.Sum(line => line.HourlyUsd);

    /// <summary>What has no price in the table, each once; none where the whole is known.</summary>
    public IReadOnlyList<string> Unknown => [.. Lines.Where(line => line.UnitUsd is null).Select(line => line.What)];

    /// <summary>Whether the whole may be less: of a part of it only the most that it costs is known.</summary>
    public bool IsAtMost => Lines.Any(line => line.IsAtMost);

    /// <summary>The whole for a month of 730 hours, or null.</summary>
    public decimal? MonthlyUsd => HourlyUsd * HoursPerMonth;
}

/// <summary>One part of the cost.</summary>
/// <param name="What">What is paid for, such as <c>m4.large</c>.</param>
/// <param name="Count">How many of it.</param>
/// <param name="UnitUsd">For one, per hour; null where the table does not know it.</param>
internal sealed record CostLine(string What, int Count, decimal? UnitUsd)
{
    /// <summary>Whether <see cref="UnitUsd"/> is the most that one costs.</summary>
    public bool IsAtMost { get; init; }

    /// <summary>For all, per hour, or null.</summary>
    public decimal? HourlyUsd => UnitUsd * Count;
}

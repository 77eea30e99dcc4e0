using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// Prices in US dollars, from <c>prices.json</c>: on-demand Linux per hour, gp3 per GiB and month, a public IPv4 address
/// per hour. What is not in the table is unknown; nothing is guessed from neighbours.
/// </summary>
internal sealed class PriceTable
{
    // Above the table, which is read with it: static fields are made in their order.
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly Document _document;

    private PriceTable(Document document) => _document = document;

    /// <summary>The table in the repository.</summary>
    public static PriceTable Bundled { get; } = Load();

    /// <summary>The day the prices were read from AWS.</summary>
    public DateOnly AsOf => _document.AsOf;

    /// <summary>What the hosts cost.</summary>
    /// <param name="region">Where they run.</param>
    /// <param name="types">One instance type for each host.</param>
    /// <param name="diskGiB">The disk of each.</param>
    /// <param name="publicAddresses">Whether each has a public IPv4 address.</param>
    public Cost Of(string region, IReadOnlyList<string> types, int diskGiB, bool publicAddresses)
    {
        var prices = _document.Regions.GetValueOrDefault(region);
        var lines = types
            .CountBy(type => type)
            .Select(type => new CostLine(type.Key, type.Value, prices?.Instances.TryGetValue(type.Key, out var usd) == true ? usd : null))
            .ToList();
        lines.Add(new CostLine($"{diskGiB} GiB gp3 disk", types.Count, prices?.Gp3GibMonth * diskGiB / Cost.HoursPerMonth));
        if (publicAddresses) lines.Add(new CostLine("public IPv4 address", types.Count, prices?.PublicIpv4Hour));
        return new Cost(AsOf, lines);
    }

    private static PriceTable Load()
    {
        using var stream = typeof(PriceTable).Assembly.GetManifestResourceStream("prices.json")
            ?? throw new InvalidOperationException("prices.json is not in the assembly.");
        return new PriceTable(JsonSerializer.Deserialize<Document>(stream, Json)
            ?? throw new InvalidOperationException("prices.json is empty."));
    }

    private sealed record Document(DateOnly AsOf, string Source, Dictionary<string, RegionPrices> Regions);

    private sealed record RegionPrices(
        [property: JsonPropertyName("gp3_gib_month")] decimal Gp3GibMonth,
        [property: JsonPropertyName("public_ipv4_hour")] decimal PublicIpv4Hour,
        Dictionary<string, decimal> Instances);
}

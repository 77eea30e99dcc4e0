using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// Prices in US dollars, from <c>prices.json</c>: on-demand Linux per hour, gp3 per GiB and month, a public IPv4 address
/// per hour. Each source of prices has its day. What is not in the table is unknown; nothing is guessed from neighbours.
/// </summary>
internal sealed class PriceTable
{
    // Above the table, which is read with it: static fields are made in their order.
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly Document _document;

    private PriceTable(Document document) => _document = document;

    /// <summary>The table in the repository.</summary>
    public static PriceTable Bundled { get; } = Load();

    /// <summary>The day of the newest prices.</summary>
    public DateOnly AsOf => _document.Regions.Keys.Max(AsOfIn);

    /// <summary>The day of a region's prices for instances, or of the newest where it has none.</summary>
    /// <param name="region">The region, such as <c>eu-central-1</c>.</param>
    public DateOnly AsOfIn(string region) => _document.Regions.TryGetValue(region, out var prices) ? _document.Sources[prices.Source].AsOf : AsOf;

    /// <summary>Whether the table knows that a region offers a type; where it does not, the region may offer it all the same.</summary>
    public bool Knows(string region, string type) => _document.Regions.GetValueOrDefault(region)?.Instances.ContainsKey(type) == true;

    /// <summary>What hosts that are alike cost.</summary>
    /// <param name="region">Where they run.</param>
    /// <param name="types">One instance type for each host.</param>
    /// <param name="diskGiB">The disk of each.</param>
    /// <param name="publicAddresses">Whether each has a public IPv4 address.</param>
    public Cost Of(string region, IReadOnlyList<string> types, int diskGiB, bool publicAddresses) =>
        Of(region, types, Enumerable.Repeat(new DiskKind(diskGiB), types.Count), publicAddresses ? types.Count : 0);

    /// <summary>What instances, disks and addresses cost.</summary>
    /// <param name="region">Where they are.</param>
    /// <param name="types">The type of each instance that runs.</param>
    /// <param name="disks">Each disk.</param>
    /// <param name="publicAddresses">How many public IPv4 addresses there are.</param>
    public Cost Of(string region, IEnumerable<string> types, IEnumerable<DiskKind> disks, int publicAddresses)
    {
        var prices = _document.Regions.GetValueOrDefault(region);
        List<CostLine> lines =
        [
            .. types.CountBy(type => type)
                .Select(type => new CostLine(type.Key, type.Value, prices?.Instances.TryGetValue(type.Key, out var usd) == true ? usd : null)),
            .. disks.CountBy(disk => disk)
                .Select(disk => new CostLine($"{disk.Key.GiB} GiB {disk.Key.Type} disk", disk.Value, disk.Key.Type == DiskKind.Gp3 ? prices?.Gp3GibMonth * disk.Key.GiB / Cost.HoursPerMonth : null)),
        ];
        if (publicAddresses > 0) lines.Add(new CostLine("public IPv4 address", publicAddresses, prices is null ? null : _document.PublicIpv4Hour));
        return new Cost(AsOfIn(region), lines);
    }

    private static PriceTable Load()
    {
        using var stream = typeof(PriceTable).Assembly.GetManifestResourceStream("prices.json")
            ?? throw new InvalidOperationException("prices.json is not in the assembly.");
        return new PriceTable(JsonSerializer.Deserialize<Document>(stream, Json)
            ?? throw new InvalidOperationException("prices.json is empty."));
    }

    private sealed record Document(
        Dictionary<string, Source> Sources, [property: JsonPropertyName("public_ipv4_hour")] decimal PublicIpv4Hour, Dictionary<string, RegionPrices> Regions);

    private sealed record Source(DateOnly AsOf, string What);

    private sealed record RegionPrices(
        string Source, [property: JsonPropertyName("gp3_gib_month")] decimal? Gp3GibMonth, Dictionary<string, decimal> Instances);
}

using System.Globalization;
using System.Security.Cryptography;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Lab.AppHost.LocalHost.Dashboard;

/// <summary>Where the dashboard was told to be.</summary>
/// <param name="Page">The wished address of its pages.</param>
/// <param name="Otlp">The wished address for telemetry.</param>
/// <param name="Elsewhere">Another receiver of the services' telemetry, which the user has named; or null.</param>
internal sealed record DashboardSettings(string Page, string Otlp, string? Elsewhere)
{
    private const string DefaultPage = "http://localhost:18888";
    private const string DefaultOtlp = "http://localhost:18889";

    /// <summary>What is wrong with them; null if nothing is.</summary>
    public string? Trouble => Port(Page) is null
        ? $"The dashboard cannot be at {Page}: it starts and stops processes, and so is served to this machine alone, over http. Use an address such as {DefaultPage}."
        : null;

    /// <summary>Reads <c>--urls</c> or <c>ASPNETCORE_URLS</c>, and Aspire's own variable for OTLP, as the launch profile sets them.</summary>
    public static DashboardSettings From(IConfiguration configuration) => new(
        (configuration["urls"] ?? configuration["ASPNETCORE_URLS"] ?? DefaultPage).Split(';')[0],
        configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] ?? DefaultOtlp,
        configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 } elsewhere ? elsewhere : null);

    /// <summary>The wished ports where they are free, and others where they are not.</summary>
    public DashboardAddress Choose(IEnumerable<ProjectResource> resources, Output output)
    {
        var taken = resources.Select(resource => resource.Endpoint?.Port ?? 0).ToHashSet();
        var page = Choose(Port(Page) ?? 0, "dashboard");
        if (Port(Page) is > 0 && page != Port(Page))
            output.Complain($"The dashboard's port {Port(Page)} is taken by another program: it is at http://localhost:{page} this time.");
        taken.Add(page);
        return new(page, Choose(Port(Otlp) ?? 0, "otlp"), RandomNumberGenerator.GetHexString(32, lowercase: true), Elsewhere);

        int Choose(int wished, string name)
            => wished != 0 && !taken.Contains(wished) && Ports.IsFree(wished) ? wished : Ports.Free($"{AppContext.BaseDirectory}\n{name}", taken);
    }

    private static int? Port(string address)
        => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri is { Scheme: "http", IsLoopback: true } ? uri.Port : null;
}

/// <summary>Where the dashboard is.</summary>
/// <param name="Port">The port of its pages.</param>
/// <param name="OtlpPort">The port for telemetry.</param>
/// <param name="Key">What telemetry must bring along.</param>
/// <param name="Elsewhere">Who gets the telemetry instead, or null.</param>
internal sealed record DashboardAddress(int Port, int OtlpPort, string Key, string? Elsewhere)
{
    /// <summary>The header that carries the key, named as Aspire names it.</summary>
    public const string KeyHeader = "x-otlp-api-key";

    /// <summary>The variables by which OpenTelemetry finds its way here; none where the user has named another receiver.</summary>
    public IReadOnlyDictionary<string, string> Telemetry => Elsewhere is not null ? new Dictionary<string, string>() : new Dictionary<string, string>
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{OtlpPort}"),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_EXPORTER_OTLP_HEADERS"] = $"{KeyHeader}={Key}",
    };
}

using OpenTelemetry.Exporter;

namespace Lab.ServiceDefaults.Telemetry;

/// <summary>Where one signal is sent, and how (opentelemetry-specification, specification/protocol/exporter.md).</summary>
/// <param name="Endpoint">The whole address; with gRPC without the service's path.</param>
/// <param name="Protocol">What is spoken there.</param>
/// <param name="Headers">Go with every request.</param>
/// <param name="TimeoutMilliseconds">How long one may take, more than 0.</param>
/// <param name="Compression">How requests are compressed.</param>
internal sealed record OtlpSignal(
    Uri Endpoint,
    OtlpExportProtocol Protocol,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    int TimeoutMilliseconds,
    OtlpExportCompression Compression)
{
    /// <summary>Sets the exporter up.</summary>
    public void Apply(OtlpExporterOptions options)
    {
        (options.Endpoint, options.Protocol) = (Endpoint, Protocol);
        (options.TimeoutMilliseconds, options.Compression) = (TimeoutMilliseconds, Compression);
        // The exporter decodes its list before it takes it apart, and fails at a comma within a value or a name that is there twice.
        options.Headers = null;
        if (Headers.Count == 0) return;
        var create = options.HttpClientFactory;
        options.HttpClientFactory = () =>
        {
            var client = create();
            foreach (var (name, value) in Headers) client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
            return client;
        };
    }
}

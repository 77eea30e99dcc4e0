using Microsoft.Extensions.Configuration;
using OpenTelemetry.Exporter;

namespace Lab.ServiceDefaults.Telemetry;

/// <summary>
/// What OpenTelemetry's own variables ask for (opentelemetry-specification,
/// specification/configuration/sdk-environment-variables.md and specification/protocol/exporter.md), as far as the SDK does
/// not do it: which signals are sent, and each its own way. What cannot be used is told and counts as not set.
/// </summary>
internal sealed class TelemetrySettings
{
    /// <summary>The start of all variables of the exporter; a signal's own have its name behind it.</summary>
    public const string OtlpPrefix = "OTEL_EXPORTER_OTLP_";

    /// <summary>
    /// The setting that names a file with headers, as <c>OTEL_EXPORTER_OTLP_HEADERS</c> has them, for where that is not set: a
    /// key in a variable is seen by whoever may look at the container.
    /// </summary>
    public const string HeadersFile = "Telemetry:HeadersFile";

    private const string Grpc = "grpc";
    private const string HttpProtobuf = "http/protobuf";
    private const string HttpJson = "http/json";
    private const int DefaultTimeoutMilliseconds = 10_000;

    private readonly OtelVariables _variables;

    private TelemetrySettings(IConfiguration configuration)
    {
        _variables = new(configuration);
        IsDisabled = _variables.Choice("OTEL_SDK_DISABLED", "it counts as false", "true", "false") is "true";
        if (IsDisabled) return;
        SdkVariables.Check(_variables);
        Traces = Signal("TRACES", "v1/traces");
        Metrics = Signal("METRICS", "v1/metrics", "prometheus");
        Logs = Signal("LOGS", "v1/logs");
    }

    /// <summary>Whether there are to be no spans, measurements and records at all.</summary>
    public bool IsDisabled { get; }

    /// <summary>Where spans are sent; <c>null</c> for nowhere.</summary>
    public OtlpSignal? Traces { get; }

    /// <summary>Where measurements are sent; <c>null</c> for nowhere.</summary>
    public OtlpSignal? Metrics { get; }

    /// <summary>Where log records are sent; <c>null</c> for nowhere.</summary>
    public OtlpSignal? Logs { get; }

    /// <summary>What cannot be used, and what happens instead, a line for each.</summary>
    public IReadOnlyList<string> Faults => _variables.Faults;

    /// <summary>Variables that the SDK is to see otherwise than they are set, as it would fail at them.</summary>
    public IReadOnlyDictionary<string, string?> Replacements => _variables.Replacements;

    /// <summary>Reads them.</summary>
    public static TelemetrySettings Read(IConfiguration configuration) => new(configuration);

    private OtlpSignal? Signal(string name, string path, params string[] others)
    {
        var exporters = _variables.Choices($"OTEL_{name}_EXPORTER", "it is passed over", ["otlp", "none", .. others]);
        if (exporters is { Count: > 0 } && !exporters.Contains("otlp")) return null;
        var own = _variables.Address($"{OtlpPrefix}{name}_ENDPOINT");
        var general = _variables.Address($"{OtlpPrefix}ENDPOINT");
        // By default nothing is sent, unlike by the specification: nobody has said that there is a receiver.
        if (own is null && general is null && exporters is not { Count: > 0 }) return null;
        var protocol = ProtocolOf($"{OtlpPrefix}{name}_PROTOCOL") ?? ProtocolOf($"{OtlpPrefix}PROTOCOL") ?? Grpc;
        var isGrpc = protocol == Grpc;
        var endpoint = own ?? general ?? new(isGrpc ? "http://localhost:4317" : "http://localhost:4318");
        return new(
            own is null && !isGrpc ? Append(endpoint, path) : endpoint,
#pragma warning disable CS0618 // The SDK's word on what it supports; gRPC is its default.
            isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
#pragma warning restore CS0618
            _variables.Pairs($"{OtlpPrefix}{name}_HEADERS") ?? _variables.Pairs($"{OtlpPrefix}HEADERS") ?? _variables.PairsIn(HeadersFile) ?? [],
            _variables.Timeout($"{OtlpPrefix}{name}_TIMEOUT") ?? _variables.Timeout($"{OtlpPrefix}TIMEOUT") ?? DefaultTimeoutMilliseconds,
            (CompressionOf($"{OtlpPrefix}{name}_COMPRESSION") ?? CompressionOf($"{OtlpPrefix}COMPRESSION")) is "gzip" ? OtlpExportCompression.GZip : OtlpExportCompression.None);
    }

    private string? CompressionOf(string name) => _variables.Choice(name, "it is passed over", "gzip", "none");

    private string? ProtocolOf(string name)
    {
        // Receivers that take JSON take protobuf at the same address.
        if (!string.Equals(_variables[name], HttpJson, StringComparison.OrdinalIgnoreCase)) return _variables.Choice(name, "it is passed over", Grpc, HttpProtobuf);
        _variables.Fault(name, $"{name}: {HttpJson} is not supported; {HttpProtobuf} is used.", HttpProtobuf);
        return HttpProtobuf;
    }

    private static Uri Append(Uri endpoint, string path)
    {
        var address = new UriBuilder(endpoint);
        address.Path = $"{address.Path.TrimEnd('/')}/{path}";
        return address.Uri;
    }
}

using System.Globalization;

namespace Lab.ServiceDefaults.Telemetry;

/// <summary>
/// Looks at the variables that the SDK reads by itself: what it would pass over in silence is told, and what it would fail
/// at while the service starts is kept from it.
/// </summary>
internal static class SdkVariables
{
    private const string Sampler = "OTEL_TRACES_SAMPLER";
    private const string SamplerArgument = "OTEL_TRACES_SAMPLER_ARG";
    private const string ResourceAttributes = "OTEL_RESOURCE_ATTRIBUTES";
    private const string PassedOver = "it is passed over";

    private static readonly string[] Counts =
    [
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_SPAN_LINK_COUNT_LIMIT", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    ];

    /// <summary>Looks at them all.</summary>
    public static void Check(OtelVariables variables)
    {
        var sampler = variables.Choice(Sampler, "parentbased_always_on is used",
            "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio");
        if (sampler is "traceidratio" or "parentbased_traceidratio" && variables[SamplerArgument] is { } ratio
            && !(double.TryParse(ratio, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is >= 0 and <= 1))
            variables.Fault(SamplerArgument, $"{SamplerArgument} is no number from 0 to 1; 1 is used.");
        variables.Choices("OTEL_PROPAGATORS", "tracecontext and baggage are used", "tracecontext", "baggage");
        variables.Choice("OTEL_METRICS_EXEMPLAR_FILTER", PassedOver, "always_on", "always_off", "trace_based");
        variables.Choice("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", PassedOver, "cumulative", "delta", "lowmemory");
        CheckQueue(variables, "OTEL_BSP_");
        CheckQueue(variables, "OTEL_BLRP_");
        variables.Number("OTEL_METRIC_EXPORT_INTERVAL", 1, "not a number of milliseconds from 1 to 2147483647");
        variables.Timeout("OTEL_METRIC_EXPORT_TIMEOUT");
        foreach (var name in Counts) variables.Number(name, 0, "not a number from 0 to 2147483647");
        CheckAttributes(variables);
    }

    private static void CheckQueue(OtelVariables variables, string prefix)
    {
        const int defaultQueue = 2048, defaultBatch = 512;
        variables.Number($"{prefix}SCHEDULE_DELAY", 1, "not a number of milliseconds from 1 to 2147483647");
        variables.Timeout($"{prefix}EXPORT_TIMEOUT");
        var (queueName, batchName) = ($"{prefix}MAX_QUEUE_SIZE", $"{prefix}MAX_EXPORT_BATCH_SIZE");
        var queue = variables.Number(queueName, 1, "not a number from 1 to 2147483647") ?? defaultQueue;
        var batch = variables.Number(batchName, 1, "not a number from 1 to 2147483647");
        if ((batch ?? defaultBatch) <= queue) return;
        var most = queue.ToString(CultureInfo.InvariantCulture);
        if (batch is null) variables.Replace(batchName, most);
        else variables.Fault(batchName, $"{batchName} is {batch}, more than {queueName}; {most} is used.", most);
    }

    private static void CheckAttributes(OtelVariables variables)
    {
        if (variables[ResourceAttributes] is not { } attributes) return;
        if (attributes.Split(',', StringSplitOptions.RemoveEmptyEntries).Any(pair => pair.IndexOf('=', StringComparison.Ordinal) < 1))
            variables.Fault(ResourceAttributes, $"{ResourceAttributes} is not name1=value1,name2=value2; {PassedOver}.");
        // The SDK takes a plus for a space, as in forms; the specification knows percent-encoding alone.
        else if (attributes.Contains('+', StringComparison.Ordinal)) variables.Replace(ResourceAttributes, attributes.Replace("+", "%2B", StringComparison.Ordinal));
    }
}

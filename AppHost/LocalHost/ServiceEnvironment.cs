using System.Diagnostics;
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;

namespace Lab.AppHost.LocalHost;

/// <summary>The environment variables that Aspire gives a project, so that no service can tell who started it.</summary>
internal static partial class ServiceEnvironment
{
    // What the AppHost's own launch profile set is about the AppHost.
    private static readonly string[] NotInherited =
        ["ASPNETCORE_URLS", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "DOTNET_LAUNCH_PROFILE"];

    /// <summary>How to start the resource.</summary>
    /// <param name="resource">A resource with its ports assigned.</param>
    /// <param name="development">Whether telemetry is to come in seconds and unsampled.</param>
    /// <param name="instance">Identifies this run of the process in telemetry.</param>
    /// <param name="telemetry">Where telemetry goes, in OpenTelemetry's variables.</param>
    public static ProcessStartInfo StartInfo(ProjectResource resource, bool development, string instance, IReadOnlyDictionary<string, string> telemetry)
    {
        var start = new ProcessStartInfo(Runtime.Dotnet, [resource.Project.TargetPath, .. resource.Arguments])
        {
            WorkingDirectory = Path.GetDirectoryName(resource.Project.ProjectPath),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in NotInherited)
            start.Environment.Remove(name);
        foreach (var (name, value) in telemetry.Concat(Injected(resource, development, instance)))
            start.Environment[name] = value;
        return start;
    }

    /// <summary>What is added to, or replaced in, the AppHost's own environment.</summary>
    public static IReadOnlyDictionary<string, string> Injected(ProjectResource resource, bool development, string instance)
    {
        var variables = new Dictionary<string, string>
        {
            ["LOGGING__CONSOLE__FORMATTERNAME"] = "simple",
            ["OTEL_SERVICE_NAME"] = resource.Name,
            ["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={instance}",
            ["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory",
        };
        if (development)
        {
            variables["OTEL_BSP_SCHEDULE_DELAY"] = "1000";
            variables["OTEL_BLRP_SCHEDULE_DELAY"] = "1000";
            variables["OTEL_METRIC_EXPORT_INTERVAL"] = "1000";
            variables["OTEL_TRACES_SAMPLER"] = "always_on";
            variables["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
        }

        if (resource.Endpoint is { } endpoint)
            variables["ASPNETCORE_URLS"] = endpoint.Url;
        foreach (var other in resource.References)
        {
            if (other.Endpoint is null)
                continue;
            variables[$"services__{other.Name}__http__0"] = other.Endpoint.Url;
            variables[$"{NoName().Replace(other.Name.ToUpperInvariant(), "_")}_HTTP"] = other.Endpoint.Url;
        }

        foreach (var (name, value) in resource.Environment)
            variables[name] = value;
        return variables;
    }

    [GeneratedRegex("[^A-Z0-9_]")]
    private static partial Regex NoName();
}

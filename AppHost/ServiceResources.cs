#pragma warning disable ASPIREEXTENSION001, ASPIRECERTIFICATES001 // Launch tool arguments and certificates of resources may still change.
namespace Lab.AppHost;

/// <summary>What the resources of AppHost.cs have in common.</summary>
internal static class ServiceResources
{
    /// <summary>A web service of ours: its health, its telemetry, and that it is started again when it crashes.</summary>
    public static IResourceBuilder<ProjectResource> AsService(this IResourceBuilder<ProjectResource> service) => service
        .LaunchedDirectly()
        .WithHttpHealthCheck("/health")
        .WithUrlForEndpoint("http", _ => new() { Url = "/metrics", DisplayText = "Metrics" })
        .WithEnvironment("ASPNETCORE_ENVIRONMENT", service.ApplicationBuilder.Environment.EnvironmentName)
        .WithEnvironment("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Warning")
        .WithEnvironment("ORT_DISABLE_TELEMETRY", "1")
        .WithEnvironment(SendTelemetryWhereTheCallerSays)
        .WithAnnotation(new RestartAfterCrash.Annotation());

    /// <summary>A program with something to do, which a person starts.</summary>
    public static IResourceBuilder<ProjectResource> AsProgram(this IResourceBuilder<ProjectResource> program, string command) => program
        .LaunchedDirectly()
        .WithArgs(command)
        .WithExplicitStart()
        .ExcludeFromManifest();

    /// <summary>The arguments with which <c>dotnet</c> starts a project: its built program, or where that is missing <c>run</c>.</summary>
    public static string[] LaunchOf(string projectPath)
    {
        // It lies in its project as this program does in its own, be that the tests'.
        var output = AppContext.BaseDirectory.LastIndexOf($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal);
        var program = Path.Join(Path.GetDirectoryName(projectPath), AppContext.BaseDirectory[Math.Max(output, 0)..], Path.ChangeExtension(Path.GetFileName(projectPath), ".dll"));
        return File.Exists(program) ? [program] : ["run", "--project", projectPath, "--"];
    }

    // Aspire's own `dotnet run --no-build` takes a second of processor for each of nine services; and a developer certificate,
    // whose lack the dashboard would complain of, is used by none. `dotnet watch` and an IDE keep launches of their own.
    private static IResourceBuilder<ProjectResource> LaunchedDirectly(this IResourceBuilder<ProjectResource> project)
    {
        project.WithoutHttpsCertificate();
        return project.ApplicationBuilder.Configuration["DOTNET_WATCH"] is null && LaunchOf(project.Resource.GetProjectMetadata().ProjectPath) is [var program]
            ? project.WithLaunchToolArgs(launch => launch.Args.Add(program), "project", showInCommandLine: false)
            : project;
    }

    // Aspire points projects at its dashboard, with the dashboard's key, whatever the caller's environment says.
    private static void SendTelemetryWhereTheCallerSays(EnvironmentCallbackContext context)
    {
        var caller = context.ExecutionContext.Services.GetRequiredService<IConfiguration>();
        var variables = caller.AsEnumerable().Where(variable => variable.Key.StartsWith("OTEL_", StringComparison.Ordinal) && variable.Value is { Length: > 0 }).ToList();
        if (!variables.Exists(variable => variable.Key.StartsWith("OTEL_EXPORTER_OTLP_", StringComparison.Ordinal) && variable.Key.EndsWith("ENDPOINT", StringComparison.Ordinal))) return;
        foreach (var name in (string[])["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS"])
            context.EnvironmentVariables[name] = "";
        // But each service's own name and attributes.
        foreach (var (name, value) in variables.Where(variable => variable.Key is not ("OTEL_SERVICE_NAME" or "OTEL_RESOURCE_ATTRIBUTES")))
            context.EnvironmentVariables[name] = value!;
    }
}

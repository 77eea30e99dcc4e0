#pragma warning disable ASPIREEXTENSION001, ASPIRECERTIFICATES001 // Launch tool arguments and certificates of resources may still change.
using System.Reflection;
using Aspire.Hosting.ApplicationModel;

namespace Lab.AppHost;

/// <summary>What the resources of AppHost.cs have in common.</summary>
internal static class ServiceResources
{
    private static readonly string OutputPath = typeof(ServiceResources).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "OutputPath").Value!;

    /// <summary>A web service of ours: its health, its telemetry, and that it is started again when it crashes.</summary>
    public static IResourceBuilder<ProjectResource> AsService(this IResourceBuilder<ProjectResource> service) => service
        .AsProgram()
        .WithHttpHealthCheck("/health")
        .WithEnvironment("ASPNETCORE_ENVIRONMENT", service.ApplicationBuilder.Environment.EnvironmentName)
        .WithEnvironment("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Warning")
        .WithEnvironment("ORT_DISABLE_TELEMETRY", "1")
        .WithEnvironment(SendTelemetryWhereTheCallerSays)
        .WithAnnotation(new RestartAfterCrashAnnotation());

    /// <summary>
    /// Starts the built program itself, where Aspire's own <c>dotnet run --no-build</c> takes a second of processor for each of
    /// nine; and without a developer certificate, which nothing here uses and whose lack the dashboard would complain of.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AsProgram(this IResourceBuilder<ProjectResource> project)
    {
        var path = project.Resource.GetProjectMetadata().ProjectPath;
        var program = Path.Combine(Path.GetDirectoryName(path)!, OutputPath, Path.GetFileNameWithoutExtension(path) + ".dll");
        project.WithoutHttpsCertificate();
        // `dotnet watch` and an IDE have launches of their own.
        return project.ApplicationBuilder.Configuration["DOTNET_WATCH"] is null && File.Exists(program)
            ? project.WithLaunchToolArgs(launch => launch.Args.Add(program), "project", showInCommandLine: false)
            : project;
    }

    /// <summary>Gives the worker the model that was asked for.</summary>
    public static IResourceBuilder<ProjectResource> WithModel(this IResourceBuilder<ProjectResource> worker, LabParameters parameters) =>
        parameters.ModelDirectory is { } directory ? worker.WithEnvironment("Worker__ModelDirectory", directory) : worker;

    /// <summary>Gives the load generator a key where one is needed.</summary>
    public static IResourceBuilder<ProjectResource> WithKey(this IResourceBuilder<ProjectResource> bench, LabParameters parameters) =>
        parameters.Key is { } key ? bench.WithEnvironment("LAB_API_KEY", key) : bench;

    /// <summary>Commands that take a worker's work away and give it back.</summary>
    public static IResourceBuilder<ProjectResource> WithDrainAndResume(
        this IResourceBuilder<ProjectResource> worker, IResourceBuilder<ProjectResource> orchestrator, LabParameters parameters)
    {
        return worker
            .WithHttpCommand(Path("drain"), "Drain", () => orchestrator.GetEndpoint("http"), "drain", Options("DrinkToGo", "The worker finishes what it computes and gets no more."))
            .WithHttpCommand(Path("resume"), "Resume", () => orchestrator.GetEndpoint("http"), "resume", Options("ArrowReset", "The worker gets work again."));

        string Path(string verb) => $"/workers/{worker.Resource.Name}/{verb}";

        HttpCommandOptions Options(string icon, string description) => new()
        {
            Description = description,
            IconName = icon,
            PrepareRequest = command =>
            {
                if (parameters.Key is { } key) command.Request.Headers.Authorization = new("Bearer", key);
                return Task.CompletedTask;
            },
        };
    }

    /// <summary>A command that makes something to see.</summary>
    public static IResourceBuilder<ProjectResource> WithBurst(this IResourceBuilder<ProjectResource> orchestrator, LabParameters parameters) =>
        orchestrator.WithCommand("burst", "Send 200 sentences", command => SendAsync(new(orchestrator.GetEndpoint("http").Url), parameters.Key, command.CancellationToken),
            new() { Description = "Sends 200 requests at once, so that there is something to see.", IconName = "Flash", IsHighlighted = true });

    private static async Task<ExecuteCommandResult> SendAsync(Uri address, string? key, CancellationToken cancellationToken)
    {
        string[] sentences = ["I loved every minute of it", "A dull, lifeless mess", "A warm and funny story", "Terrible service, never again"];
        using var client = new HttpClient { BaseAddress = address };
        if (key is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 200).Select(async number =>
        {
            using var text = new StringContent(sentences[number % sentences.Length]);
            using var answer = await client.PostAsync(new Uri("/new_request", UriKind.Relative), text, cancellationToken);
            return (int)answer.StatusCode;
        }));
        var told = string.Join(", ", statuses.CountBy(status => status).Select(count => $"{count.Value} × {count.Key}"));
        return statuses.All(status => status == 200) ? CommandResults.Success($"200 requests answered: {told}") : CommandResults.Failure($"Statuses: {told}");
    }

    // Aspire points projects at its dashboard, with the dashboard's key, whatever the caller's environment says.
    private static void SendTelemetryWhereTheCallerSays(EnvironmentCallbackContext context)
    {
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is not { Length: > 0 }) return;
        foreach (var name in (string[])["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS"])
        {
            context.EnvironmentVariables.Remove(name);
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value) context.EnvironmentVariables[name] = value;
        }
    }
}

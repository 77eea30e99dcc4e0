using System.Globalization;
using System.Net.Http.Json;

namespace Lab.AppHost;

/// <summary>What may differ from run to run: <c>-- --WorkerCount=2</c>, or variables of the environment.</summary>
/// <param name="WorkerCount">1 to 64.</param>
/// <param name="OrchestratorPort"><c>null</c> where 0 was given: any that is free.</param>
/// <param name="ModelDirectory">A Hugging Face directory, or the model that comes with the worker.</param>
/// <param name="Key">Where keys are set (<c>Access__AdminKeys__root=…</c>, which the services get too), one that lets commands and load in.</param>
internal sealed record LabParameters(int WorkerCount, int? OrchestratorPort, IResourceBuilder<ParameterResource> ModelDirectory, string? Key)
{
    private static readonly string[] DashboardVariables = ["ASPNETCORE_URLS", "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"];

    /// <summary>Reads them, and adds them to what the dashboard shows (not from <c>Parameters:…</c>, where a deployment keeps its last ones); <c>null</c> after saying which one is of no use.</summary>
    public static LabParameters? Read(IDistributedApplicationBuilder builder)
    {
        var workers = Number("WorkerCount", "8", 1, 64);
        var port = Number("OrchestratorPort", "8080", 0, 65535);
        var model = builder.Configuration["ModelDirectory"] is { } directory ? Path.GetFullPath(Path.Combine(".", directory)) : builder.Configuration["Worker:ModelDirectory"];
        if (model is not null && !Directory.Exists(model)) Console.Error.WriteLine($"ModelDirectory: there is no directory '{model}'.");
        if (workers is null || port is null || !Directory.Exists(model ?? ".")) return null;
        if (builder.ExecutionContext.IsRunMode && ListenFailure.FirstFault([("OrchestratorPort", $"http://localhost:{port}"), .. DashboardVariables.Select(name => (name, Environment.GetEnvironmentVariable(name)))]) is { } fault) { Console.Error.WriteLine(fault); return null; }

        builder.AddParameter("worker-count", () => $"{workers}").WithDescription("How many workers are started: --WorkerCount=8");
        builder.AddParameter("orchestrator-port", () => $"{port}").WithDescription("Where the orchestrator listens, 0 for any free port: --OrchestratorPort=8080");
        var modelDirectory = builder.AddParameter("model-directory", () => model ?? "Models/minilm-sst2").WithDescription("A Hugging Face directory: --ModelDirectory=/path");
        var key = builder.Configuration.GetSection("Access:AdminKeys").GetChildren().Select(admin => admin.Value)
            .FirstOrDefault(value => value is { Length: > 0 } && !value.StartsWith("sha256:", StringComparison.Ordinal));
        return new(workers.Value, port == 0 ? null : port, modelDirectory, key);

        int? Number(string name, string usual, int minimum, int maximum)
        {
            var text = builder.Configuration[name] ?? usual;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum) return number;
            Console.Error.WriteLine($"{name}: '{text}' is no whole number from {minimum} to {maximum}.");
            return null;
        }
    }

    /// <summary>A request to the orchestrator, with the key.</summary>
    public HttpCommandOptions Command(string icon, string description, object? body = null) => new()
    {
        IconName = icon,
        Description = description,
        IsHighlighted = body is not null,
        PrepareRequest = command =>
        {
            if (Key is not null) command.Request.Headers.Authorization = new("Bearer", Key);
            if (body is not null) command.Request.Content = JsonContent.Create(body);
            return Task.CompletedTask;
        },
    };
}

using System.Globalization;
using System.Net.Http.Json;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Lab.AppHost;

/// <summary>What may differ from run to run: <c>-- --WorkerCount=2</c>, or variables of the environment.</summary>
/// <param name="WorkerCount">1 to 64.</param>
/// <param name="OrchestratorPort"><c>null</c> where 0 was given: any that is free.</param>
/// <param name="ModelDirectory">An absolute path, or <c>null</c> for the model that comes with the worker.</param>
/// <param name="Key">Where keys are set (<c>Access__AdminKeys__root=…</c>, which the services get too), one that lets commands and load in.</param>
internal sealed record LabParameters(int WorkerCount, int? OrchestratorPort, string? ModelDirectory, string? Key)
{
    /// <summary>Reads them, and adds them to what the dashboard shows; <c>null</c> after saying which one is of no use.</summary>
    public static LabParameters? Read(IDistributedApplicationBuilder builder)
    {
        var workers = Number("WorkerCount", "8", 1, 64);
        var port = Number("OrchestratorPort", "8080", 0, 65535);
        var model = builder.Configuration["ModelDirectory"] is { Length: > 0 } directory ? Path.GetFullPath(directory) : null;
        if (model is not null && !Directory.Exists(model)) Console.Error.WriteLine($"ModelDirectory: there is no directory '{model}'.");
        if (workers is null || port is null || !Directory.Exists(model ?? ".")) return null;

        builder.AddParameter("worker-count", () => $"{workers}").WithDescription("How many workers are started: --WorkerCount=8");
        builder.AddParameter("orchestrator-port", () => $"{port}").WithDescription("Where the orchestrator listens, 0 for any free port: --OrchestratorPort=8080");
        builder.AddParameter("model-directory", () => model ?? "bundled").WithDescription("A Hugging Face directory: --ModelDirectory=/path");
        var key = builder.Configuration.GetSection("Access:AdminKeys").GetChildren().Select(admin => admin.Value)
            .FirstOrDefault(value => value is { Length: > 0 } && !value.StartsWith("sha256:", StringComparison.Ordinal));
        return new(workers.Value, port == 0 ? null : port, model, key);

        int? Number(string name, string usual, int minimum, int maximum)
        {
            var text = builder.Configuration[name] ?? usual;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum) return number;
            Console.Error.WriteLine($"{name}: '{text}' is no whole number from {minimum} to {maximum}.");
            return null;
        }
    }

    /// <summary>Gives a worker the model.</summary>
    public void SetModel(EnvironmentCallbackContext worker)
    {
        if (ModelDirectory is not null) worker.EnvironmentVariables["Worker__ModelDirectory"] = ModelDirectory;
    }

    /// <summary>Gives the load generator the key.</summary>
    public void SetKey(EnvironmentCallbackContext bench)
    {
        if (Key is not null) bench.EnvironmentVariables["LAB_API_KEY"] = Key;
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

    /// <summary>As many sentences as one request may bring.</summary>
    public HttpCommandOptions Burst()
    {
        string[] sentences = ["I loved every minute of it", "A dull, lifeless mess", "A warm and funny story", "Terrible service, never again"];
        return Command("Flash", "Sends 32 sentences at once, so that there is something to see.", new { inputs = Enumerable.Range(0, 32).Select(number => (string[])[sentences[number % 4]]) });
    }
}

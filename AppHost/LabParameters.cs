using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Lab.AppHost;

/// <summary>What may differ from run to run, as <c>-- --WorkerCount=2</c> or an environment variable; the dashboard shows it.</summary>
internal sealed class LabParameters
{
    private const string Bundled = "bundled";

    private LabParameters(int workerCount, int? orchestratorPort, string? modelDirectory, string? key) =>
        (WorkerCount, OrchestratorPort, ModelDirectory, Key) = (workerCount, orchestratorPort, modelDirectory, key);

    /// <summary>1 to 64.</summary>
    public int WorkerCount { get; }

    /// <summary><c>null</c> where 0 was given: any that is free.</summary>
    public int? OrchestratorPort { get; }

    /// <summary>An absolute path, or <c>null</c> for the model that comes with the worker.</summary>
    public string? ModelDirectory { get; }

    /// <summary>
    /// Where keys are set (<c>Access__AdminKeys__root=…</c> in the environment, which the services get too), one with which
    /// commands and load are let in.
    /// </summary>
    public string? Key { get; }

    /// <summary>Reads them and adds them to the model; <c>null</c> where one is of no use, after saying so.</summary>
    public static LabParameters? Read(IDistributedApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        var workers = Number("WorkerCount", 8, 1, 64);
        var port = Number("OrchestratorPort", 8080, 0, 65535);
        var model = configuration["ModelDirectory"] ?? configuration["Worker:ModelDirectory"] ?? Bundled;
        var directory = model == Bundled ? null : Path.GetFullPath(model);
        if (directory is not null && !Directory.Exists(directory))
        {
            Console.Error.WriteLine($"ModelDirectory: there is no directory '{directory}'.");
            return null;
        }

        if (workers is null || port is null) return null;
        Show("worker-count", workers.Value.ToString(CultureInfo.InvariantCulture), "How many workers are started: --WorkerCount=8");
        Show("orchestrator-port", port.Value.ToString(CultureInfo.InvariantCulture), "Where the orchestrator listens; 0 is any free port: --OrchestratorPort=8080");
        Show("model-directory", directory ?? Bundled, "A Hugging Face directory, or the model that comes with the worker: --ModelDirectory=/path");
        var key = configuration.GetSection("Access:AdminKeys").GetChildren().Select(admin => admin.Value)
            .FirstOrDefault(value => value is { Length: > 0 } && !value.StartsWith("sha256:", StringComparison.Ordinal));
        return new(workers.Value, port == 0 ? null : port, directory, key);

        int? Number(string name, int usual, int minimum, int maximum)
        {
            if (configuration[name] is not { } text) return usual;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum) return number;
            Console.Error.WriteLine($"{name}: '{text}' is no whole number from {minimum} to {maximum}.");
            return null;
        }

        void Show(string name, string value, string description) => builder.AddParameter(name, () => value).WithDescription(description);
    }
}

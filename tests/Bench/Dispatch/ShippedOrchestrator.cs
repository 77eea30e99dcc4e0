using Lab.Orchestrator;

namespace Lab.Bench.Dispatch;

/// <summary>The orchestrator as built beside this program, started as its image starts it.</summary>
internal static class ShippedOrchestrator
{
    /// <summary>Starts one over workers of this machine.</summary>
    /// <param name="port">Where it is to listen.</param>
    /// <param name="jobs">Its jobs' file.</param>
    /// <param name="firstWorker">The first worker's port; the others follow it.</param>
    /// <param name="workers">How many there are.</param>
    /// <param name="settings">Further environment variables.</param>
    public static Task<Child> StartAsync(int port, string jobs, int firstWorker, int workers, params IEnumerable<(string Name, string Value)> settings) =>
        StartAsync([typeof(OrchestratorOptions).Assembly.Location], port, jobs, firstWorker, workers, settings);

    /// <summary>Starts another program in its place, with the same environment.</summary>
    /// <param name="program">What <c>dotnet</c> is to run.</param>
    /// <param name="port">Where it is to listen.</param>
    /// <param name="jobs">Its jobs' file.</param>
    /// <param name="firstWorker">The first worker's port; the others follow it.</param>
    /// <param name="workers">How many there are.</param>
    /// <param name="settings">Further environment variables.</param>
    public static Task<Child> StartAsync(IEnumerable<string> program, int port, string jobs, int firstWorker, int workers, params IEnumerable<(string Name, string Value)> settings)
    {
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            // The image's: see Orchestrator.csproj.
            ["DOTNET_GCgen0size"] = "0x1000000",
            ["Jobs__Path"] = jobs,
        };
        for (var i = 0; i < workers; i++) environment[$"Workers__worker-{i + 1}"] = $"http://localhost:{firstWorker + i}";
        foreach (var (name, value) in settings) environment[name] = value;
        return Child.StartAsync("dotnet", program, port, environment);
    }
}

using Aspire.Hosting.ApplicationModel;
using Lab.AppHost.LocalHost.Dashboard;

namespace Lab.AppHost.LocalHost;

/// <summary>All resources, from the first start to the last stop.</summary>
/// <param name="resources">The resources, in the order in which they are shown.</param>
/// <param name="development">Whether the services are to run as in development.</param>
/// <param name="settings">Where the dashboard is to be; null for none.</param>
/// <param name="output">Takes what they and the AppHost have to say.</param>
/// <param name="timing">How long to wait for what.</param>
/// <param name="time">The clock.</param>
internal sealed class Cluster(
    IReadOnlyList<ProjectResource> resources, bool development, DashboardSettings? settings, Output output, Timing timing, TimeProvider time)
{
    /// <summary>Those who run the resources, once there are any.</summary>
    public IReadOnlyList<ResourceRunner> Runners { get; private set; } = [];

    /// <summary>Runs everything until it is told to stop.</summary>
    /// <param name="stop">Stops everything.</param>
    /// <param name="hurry">Kills what has not stopped yet.</param>
    /// <returns>The exit code: 1 if nothing could be started, else 0.</returns>
    public async Task<int> RunAsync(CancellationToken stop, CancellationToken hurry)
    {
        var begun = time.GetTimestamp();
        List<string> troubles = [.. Ports.Assign(resources, AppContext.BaseDirectory), .. settings?.Trouble is { } trouble ? [trouble] : Array.Empty<string>()];
        foreach (var one in troubles)
            output.Complain(one);
        if (troubles.Count > 0)
        {
            output.Complain("Nothing was started.");
            return 1;
        }

        var byThemselves = resources.Where(resource => !resource.IsExplicitStart).ToList();
        output.Say($"Starting {byThemselves.Count} resources with LocalHost, as this build has no Aspire in it. Ctrl-C stops them.");
        using var watchdog = new WatchdogLine(output);
        var address = settings?.Choose(resources, output);
        var context = new RunnerContext(development, output, watchdog, timing, time, address?.Telemetry ?? new Dictionary<string, string>());
        var runners = resources.ToDictionary(resource => resource, resource => new ResourceRunner(resource, context));
        Runners = [.. runners.Values];
        await using var dashboard = address is null ? null : await DashboardServer.StartAsync(address, Runners, output, time);
        var running = runners.Values
            .Select(runner => runner.RunAsync(runner.Resource.Dependencies.Select(other => runners[other]).ToList(), stop, hurry))
            .ToList();
        try
        {
            await Task.WhenAll(byThemselves.Select(resource => runners[resource].Ready)).WaitAsync(stop);
            output.Say($"All {byThemselves.Count} resources are ready after {time.GetElapsedTime(begun).TotalSeconds:0.0} s.");
            foreach (var endpoint in resources.Select(resource => resource.Endpoint).Where(endpoint => endpoint is { IsExternal: true }))
            {
                output.Say($"Open {endpoint!.Url} or try");
                output.Say($"  curl {endpoint.Url}/new_request -H 'content-type: text/plain' -d 'What a delightful film!'");
            }

            foreach (var resource in resources.Where(resource => resource.IsExplicitStart))
                output.Say($"{resource.Name} is not started by itself: {(dashboard is null ? "" : "its button on the dashboard does, or ")}dotnet run --project {PathFromShell(resource.Project)} -- {string.Join(' ', resource.Arguments)}");
            if (dashboard is not null)
                output.Say($"Dashboard: {dashboard.Url}");
        }
        catch (OperationCanceledException)
        {
            // Stopped before all were ready.
        }

        await Task.WhenAll(running);
        output.Say("Everything is stopped.");
        return 0;
    }

    // `dotnet run` starts the program in its project's directory, wherever the user stands.
    private static string PathFromShell(IBuiltProject project) => Path.GetRelativePath(
        Environment.GetEnvironmentVariable("PWD") is { Length: > 0 } shell ? shell : Environment.CurrentDirectory, Path.GetDirectoryName(project.ProjectPath)!);
}

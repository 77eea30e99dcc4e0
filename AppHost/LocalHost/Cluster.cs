using Aspire.Hosting.ApplicationModel;

namespace Lab.AppHost.LocalHost;

/// <summary>All resources, from the first start to the last stop.</summary>
/// <param name="all">The resources, in the order in which they are shown.</param>
/// <param name="development">Whether the services are to run as in development.</param>
/// <param name="output">Takes what they and the AppHost have to say.</param>
/// <param name="timing">How long to wait for what.</param>
/// <param name="time">The clock.</param>
internal sealed class Cluster(
    IReadOnlyList<ProjectResource> all, bool development, Output output, Timing timing, TimeProvider time)
{
    private readonly List<ProjectResource> _resources = [.. all.Where(resource => !resource.IsExplicitStart)];

    /// <summary>Runs everything until it is told to stop.</summary>
    /// <param name="stop">Stops everything.</param>
    /// <param name="hurry">Kills what has not stopped yet.</param>
    /// <returns>The exit code: 1 if nothing could be started, else 0.</returns>
    public async Task<int> RunAsync(CancellationToken stop, CancellationToken hurry)
    {
        var begun = time.GetTimestamp();
        var troubles = Ports.Assign(_resources, AppContext.BaseDirectory);
        foreach (var trouble in troubles)
            output.Complain(trouble);
        if (troubles.Count > 0)
        {
            output.Complain("Nothing was started.");
            return 1;
        }

        output.Say($"Starting {_resources.Count} resources with LocalHost, as this build has no Aspire in it. Ctrl-C stops them.");
        using var watchdog = new WatchdogLine(output);
        var runners = new Dictionary<ProjectResource, ResourceRunner>();
        foreach (var resource in _resources)
            runners[resource] = new ResourceRunner(resource, development, output, watchdog, timing, time);
        var running = runners.Values
            .Select(runner => runner.RunAsync(runner.Resource.Dependencies.Select(other => runners[other]).ToList(), stop, hurry))
            .ToList();
        try
        {
            await Task.WhenAll(runners.Values.Select(runner => runner.Ready)).WaitAsync(stop);
            output.Say($"All {_resources.Count} resources are ready after {time.GetElapsedTime(begun).TotalSeconds:0.0} s.");
            foreach (var endpoint in _resources.Select(resource => resource.Endpoint).Where(endpoint => endpoint is { IsExternal: true }))
            {
                output.Say($"Open {endpoint!.Url} or try");
                output.Say($"  curl {endpoint.Url}/new_request -H 'content-type: text/plain' -d 'What a delightful film!'");
            }

            foreach (var resource in all.Where(resource => resource.IsExplicitStart))
                output.Say($"{resource.Name} is not started by itself: dotnet run --project {Path.GetFileNameWithoutExtension(resource.Project.ProjectPath)} -- {string.Join(' ', resource.Arguments)}");
        }
        catch (OperationCanceledException)
        {
            // Stopped before all were ready.
        }

        await Task.WhenAll(running);
        output.Say("Everything is stopped.");
        return 0;
    }
}

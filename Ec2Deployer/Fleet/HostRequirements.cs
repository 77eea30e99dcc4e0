using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>What hosts must be and have before anything on them is changed. Each throws the first obstacle.</summary>
internal static class HostRequirements
{
    /// <summary>The processor and the Docker that the images need.</summary>
    /// <exception cref="HostFailedException">A host has another.</exception>
    public static void RequireFit(FleetSession session, Dictionary<string, HostSurvey> surveys)
    {
        foreach (var host in session.Hosts)
            if (surveys[host.Name].Unfit(host, session.Release.Architecture) is { } obstacle) throw obstacle;
    }

    /// <summary>The ports of the services, free or ours already.</summary>
    /// <exception cref="HostFailedException">Another process has one.</exception>
    public static void RequirePorts(FleetSession session, Dictionary<string, HostSurvey> surveys)
    {
        var deployment = session.Release.Deployment;
        foreach (var host in session.Hosts)
        {
            var services = new List<(string, int[])>();
            if (host.RunsOrchestrator(session.Release.OrchestratorOnEachManager)) services.Add(($"{deployment}_orchestrator", [80, 443]));
            if (host == session.OrchestratorHost && session.Release.Dashboard) services.Add(($"{deployment}_{FleetShape.Dashboard}", [FleetShape.TelemetryPort, FleetShape.DashboardPort]));
            if (host.Role is HostRole.Worker) services.AddRange(WorkerList.Places.Select(place => ($"{deployment}_{place.Service}", new[] { place.Port })));
            if (surveys[host.Name].TakenPort(host, services) is { } obstacle) throw obstacle;
        }
    }

    /// <summary>Room for the layers that a host lacks.</summary>
    /// <exception cref="HostFailedException">A disk is full.</exception>
    public static void RequireRoom(FleetSession session, Dictionary<string, HostSurvey> surveys, IReadOnlyList<ImageTarget> targets)
    {
        foreach (var host in session.Hosts)
        {
            // The orchestrator's host passes on what the others need.
            var images = targets.Where(target => target.Hosts.Contains(host) || host == session.OrchestratorHost).Select(target => target.Image);
            var missing = images.SelectMany(image => image.Layers).Where(layer => !surveys[host.Name].Layers.Contains(layer.DiffId)).DistinctBy(layer => layer.DiffId);
            if (surveys[host.Name].FullDisk(host, missing.Sum(layer => layer.Bytes)) is { } obstacle) throw obstacle;
        }
    }
}

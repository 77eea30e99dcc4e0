using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Takes a drained or dead host out of the Swarm and out of the orchestrator's list of workers.</summary>
internal sealed class RemoveOperation(FleetAccess access)
{
    /// <inheritdoc cref="IFleetDeployer.RemoveHostAsync"/>
    public Task RunAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken) =>
        access.LockedAsync(hosts, release, progress, $"removing {host}", async session =>
        {
            var (surveys, problems) = await HostSurveys.TryReadAllAsync(session, cancellationToken);
            if (HostSurveys.IsWithoutSwarm(session.Hosts, surveys, problems)) return false;
            var manager = HostSurveys.Manager(session, surveys, except: host);
            using var step = progress.Begin("removing from the Swarm", host);
            await WorkersFile.WriteAsync(session, hosts.Where(one => one.Name != host), cancellationToken);
            var nodes = await SwarmExecutor.NodesAsync(manager, cancellationToken);
            var alive = surveys.TryGetValue(host, out var survey) && survey.SwarmState is not "inactive";
            foreach (var node in nodes.Where(node => node.Hostname == host || (alive && node.Id == survey!.NodeId)))
            {
                if (node.IsManager) await manager.RunAsync(SwarmCommands.Demote([node.Id]), cancellationToken);
                if (alive && node.Id == survey!.NodeId) await session.Connections.First(one => one.Host.Name == host).RunAsync(SwarmCommands.Leave, cancellationToken);
                await manager.RunAsync(SwarmCommands.Remove(node.Id), cancellationToken);
                await session.AuditAsync("remove", host, cancellationToken);
            }

            step.Done();
            return true;
        }, cancellationToken);
}

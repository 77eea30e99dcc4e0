using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>What a first deployment runs on the hosts, step by step. What only the run itself tells is a word in angle brackets.</summary>
internal static class RemotePlan
{
    private const string HubAddress = $"<private address of {FleetShape.OrchestratorHost}>";

    /// <summary>The steps, in order.</summary>
    public static IReadOnlyList<RemoteStep> Of(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, StackTimes times)
    {
        var hub = hosts.First(host => host.Role is HostRole.Orchestrator);
        var commands = new RolloutCommands(release.Deployment);
        var steps = new List<RemoteStep>();
        void On(DeployedHost host, HostCommand command) => steps.Add(command.ToStep(host.Name));

        On(hub, LockCommands.Hold);
        foreach (var host in hosts) On(host, HostCommands.Survey(host));
        var (orchestrator, worker) = (Image(ContainerProject.Orchestrator), Image(ContainerProject.Worker));
        foreach (var project in (ContainerProject[])[ContainerProject.Orchestrator, ContainerProject.Worker])
        {
            var arguments = ImageBuilder.ContainerArguments(project, "<solution>", "<artifacts>", release.BaseImage ?? "<base image>", "<archive>", release.Architecture);
            steps.Add(new("local", $"making the image of {project.Name}", $"dotnet {string.Join(' ', arguments)}", TimeSpan.FromMinutes(10)));
        }

        foreach (var layer in worker.Layers) On(hub, HostCommands.ReceiveLayer(layer));
        On(hub, SpreadCommands.Serve(hub));
        foreach (var host in hosts.Where(host => host.Role is HostRole.Worker)) On(host, SpreadCommands.Fetch(hub, worker.Layers, "<host key and client key>"));
        foreach (var host in hosts)
        {
            if (RunsOrchestrator(host)) On(host, HostCommands.Load(orchestrator));
            if (host.Role is HostRole.Worker) On(host, HostCommands.Load(worker));
        }

        bool RunsOrchestrator(DeployedHost host) => host.RunsOrchestrator(release.OrchestratorOnEachManager);

        var first = hosts.FirstOrDefault(host => host.Manager) ?? hub;
        On(first, SwarmCommands.Init(first));
        foreach (var host in hosts.Where(host => host != first).OrderByDescending(host => host.Manager))
        {
            On(first, SwarmCommands.JoinToken(host.Manager));
            On(host, SwarmCommands.Join(host, first, "<token>"));
        }

        foreach (var host in hosts.Where(host => host.Manager)) On(host, HostCommands.WriteWorkers(WorkerList.File(hosts)));
        foreach (var secret in FleetSecret.Planned(release)) On(first, commands.CreateSecret(secret));
        foreach (var host in hosts) On(first, SwarmCommands.Label($"<node of {host.Name}>", host.Role));
        var target = Target(release, times);
        On(first, commands.Deploy(target.Stack));
        foreach (var service in StackFile.Services) On(first, commands.State(service));
        if (release.Dashboard) On(first, DashboardCommands.Deploy(release.Deployment, Dashboard(release)));
        foreach (var host in hosts) On(host, HostCommands.Containers(release.Deployment));
        On(first, commands.KeepRelease(1, target) with { InputInWords = "the stack file" });
        foreach (var host in hosts.Where(RunsOrchestrator)) On(host, HostCommands.Certificate(release.Deployment));
        return steps;
    }

    /// <summary>The release that would be deployed.</summary>
    public static Release Target(ReleaseOptions release, StackTimes times)
    {
        var target = StackFile.Build(StackContent.Of(
            release, Image(ContainerProject.Orchestrator).Reference, Image(ContainerProject.Worker).Reference, FleetSecret.Planned(release), times, HubAddress));
        foreach (var service in StackFile.Services.Select(name => target.Stack["services"]![name]!))
        {
            // A hash over words in angle brackets looks like what is to come, and is not.
            service["labels"]![StackFile.SpecLabel] = "<hash>";
            service["deploy"]!["labels"]![StackFile.VersionLabel] = "<version>";
        }

        return target with { Version = "<version>" };
    }

    private static JsonObject Dashboard(ReleaseOptions release)
    {
        var stack = DashboardStack.Build(release.Deployment, Image(ContainerProject.Dashboard).Reference, HubAddress, FleetSecret.Planned(release));
        stack["services"]![FleetShape.Dashboard]!["labels"]![StackFile.SpecLabel] = "<hash>";
        return stack;
    }

    private static PackedImage Image(ContainerProject project) => new()
    {
        Reference = project.Reference($"<tag of {project.Name}>"),
        Tag = $"<tag of {project.Name}>",
        Config = "<configuration>",
        Layers = [.. ((string[])["base", .. PublishedFiles.Parts]).Select(part => new ImageLayer(part, $"<{part}>", $"<sha256 of {part}>", 0))],
    };
}

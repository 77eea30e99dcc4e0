using System.Globalization;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Commands;

/// <summary>What several commands do with hosts and release, and how they tell of it.</summary>
internal static class FleetWork
{
    /// <summary>Hosts by EC2, then the release on them.</summary>
    /// <param name="context">The command.</param>
    /// <param name="deployment">The deployment at EC2.</param>
    /// <param name="before">What there was before.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public static async Task<FleetReport> PublishAsync(CommandContext context, Ec2Deployment deployment, Found before, CancellationToken cancellationToken)
    {
        var address = await context.CallerAddressAsync(cancellationToken);
        // Before the first change: whoever interrupts this finds everything again with nothing but the name.
        context.Remember();
        var provisioned = await deployment.ProvisionAsync(context.Options, address, context.Progress, cancellationToken);
        foreach (var note in provisioned.Plan.Notes) context.Progress.Note(note);
        // A new machine in a dead one's place: the Swarm still waits for the dead one.
        var others = provisioned.Hosts.Where(host => before.Hosts.Any(old => old.InstanceId == host.InstanceId)).ToList();
        if (others.Count > 0)
        {
            foreach (var name in provisioned.Created)
                await context.Fleet.RemoveHostAsync(others, context.Release, name, context.Progress, cancellationToken);
        }

        return await context.Fleet.DeployAsync(provisioned.Hosts, context.Release, context.Progress, cancellationToken);
    }

    /// <summary>Tells what came of it.</summary>
    public static void Write(CommandContext context, FleetReport report)
    {
        context.Progress.Dispose();
        if (context.Screen.IsJson)
        {
            context.Screen.Json(report);
            return;
        }

        var screen = context.Screen;
        screen.Line(report.Changed ? $"Version {report.Version} serves{(report.PreviousVersion is { } old ? $" (before: {old})" : "")}." : $"Nothing to change: version {report.Version} serves.");
        screen.Table(["container", "host", "port", "health"], report.Containers.Select(Row));
        screen.Line($"  {report.ImagesSent} images sent, {(report.BytesSent / 1e6).ToString("F1", CultureInfo.InvariantCulture)} MB");
        screen.Line();
        screen.Line($"  address      {report.Address}");
        if (report.ApiKeyFile is { } key) screen.Line($"  API key      {key}");
        if (report.CertificateFingerprint is { } print) screen.Line($"  certificate  SHA-256 {print}");
        var authorization = report.ApiKeyFile is { } file ? $" -H \"Authorization: Bearer $(cat {file})\"" : "";
        screen.Line();
        screen.Line("Next:");
        screen.Line($"  curl -X POST {new Uri(report.Address, "new_request")}{authorization} --data 'what a lovely day' -H 'Content-Type: text/plain'");
        foreach (var next in (string[])["status --watch", "logs --worker worker-1 -f", "destroy"]) screen.Line($"  dotnet run --project Ec2Deployer -- {next}{Named(context)}");
    }

    /// <summary>The option that a later command line needs, or nothing.</summary>
    public static string Named(CommandContext context) => context.Options.Name == "lab" ? "" : $" --name {context.Options.Name}";

    private static IReadOnlyList<string> Row(ContainerStatus container) =>
        [container.Name, container.Host, container.Port.ToString(CultureInfo.InvariantCulture), container.Health];
}

using System.Globalization;
using System.Text;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>An image and the hosts that need it.</summary>
internal sealed record ImageTarget(PackedImage Image, IReadOnlyList<DeployedHost> Hosts);

/// <summary>What went over the deployer's own link.</summary>
/// <param name="Images">Images of which at least one layer was sent.</param>
/// <param name="Bytes">Bytes of layers.</param>
internal sealed record Sent(int Images, long Bytes);

/// <summary>Brings images to hosts: each missing layer once over the deployer's link, and from the orchestrator's host on to the others.</summary>
/// <param name="session">The hosts.</param>
/// <param name="layerDirectory">Where the layers' files are on this machine.</param>
internal sealed class ImageTransfer(FleetSession session, string layerDirectory)
{
    /// <summary>Sends what is missing and has the engines load it. Nothing happens where each host has its image.</summary>
    /// <param name="targets">The images.</param>
    /// <param name="surveys">What the hosts have.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<Sent> RunAsync(IReadOnlyList<ImageTarget> targets, IReadOnlyDictionary<string, HostSurvey> surveys, CancellationToken cancellationToken)
    {
        var work = targets
            .SelectMany(target => target.Hosts.Where(host => !surveys[host.Name].Images.Contains(target.Image.Reference)).Select(host => (Host: host, target.Image)))
            .ToList();
        if (work.Count == 0) return new(0, 0);

        var hub = session.OrchestratorHost;
        var missing = work.GroupBy(one => one.Host.Name)
            .ToDictionary(group => group.Key, group => Missing(group.Select(one => one.Image), surveys[group.Key]), StringComparer.Ordinal);
        var needed = missing.Values.SelectMany(layers => layers).DistinctBy(layer => layer.DiffId).Where(layer => !surveys[hub.Name].Layers.Contains(layer.DiffId)).ToList();
        await UploadAsync(hub, needed, cancellationToken);
        await SpreadAsync(hub, missing, cancellationToken);

        using var step = session.Progress.Begin("loading images");
        await FleetSession.OnEachAsync(work.Select(one => one.Host).Distinct().Select(host => session[host]), async connection =>
        {
            foreach (var (_, image) in work.Where(one => one.Host == connection.Host))
                await connection.RunAsync(HostCommands.Load(image), cancellationToken);
            return true;
        });
        step.Done();
        var names = needed.Select(layer => layer.DiffId).ToHashSet(StringComparer.Ordinal);
        return new(targets.Count(target => target.Image.Layers.Any(layer => names.Contains(layer.DiffId))), needed.Sum(layer => layer.Bytes));
    }

    private static List<ImageLayer> Missing(IEnumerable<PackedImage> images, HostSurvey survey) =>
        [.. images.SelectMany(image => image.Layers).DistinctBy(layer => layer.DiffId).Where(layer => !survey.Layers.Contains(layer.DiffId))];

    private async Task UploadAsync(DeployedHost hub, List<ImageLayer> layers, CancellationToken cancellationToken)
    {
        if (layers.Count == 0) return;
        using var step = session.Progress.Begin("sending images", hub.Name);
        var (done, total) = (0L, layers.Sum(layer => layer.Bytes));
        foreach (var layer in layers)
        {
            var command = HostCommands.ReceiveLayer(layer);
            await using var file = File.OpenRead(Path.Combine(layerDirectory, layer.FileName));
            var result = await session[hub].SendAsync(command, file, sent => step.Report(done += sent, total), cancellationToken);
            if (result.ExitCode != 0) throw session[hub].Failed(command, result);
        }

        step.Done(string.Create(CultureInfo.InvariantCulture, $"{total / 1e6:F1} MB"));
    }

    private async Task SpreadAsync(DeployedHost hub, Dictionary<string, List<ImageLayer>> missing, CancellationToken cancellationToken)
    {
        var others = missing.Where(pair => pair.Key != hub.Name && pair.Value.Count > 0).Select(pair => session.Hosts.First(host => host.Name == pair.Key)).ToList();
        if (others.Count == 0) return;
        using var step = session.Progress.Begin("spreading images over the private network");
        using var server = await session[hub].StartAsync(SpreadCommands.Serve(hub), cancellationToken);
        var credentials = await CredentialsAsync(hub, server, cancellationToken);
        await FleetSession.OnEachAsync(others.Select(host => session[host]), connection =>
            connection.RunAsync(SpreadCommands.Fetch(hub, missing[connection.Host.Name], credentials), cancellationToken));
        step.Done($"{others.Count} hosts");
    }

    private static async Task<string> CredentialsAsync(DeployedHost hub, RunningCommand server, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        try
        {
            while (await server.ReadLineAsync(limit.Token) is { } line)
            {
                if (line == SpreadCommands.Ready) return text.ToString();
                text.Append(line).Append('\n');
            }

            var result = await server.WaitAsync(1 << 16, limit.Token);
            throw new HostFailedException(hub.Name, "the server that is to give the images to the other hosts did not start", "Mend what the last lines say, and run the command again.", result.Error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HostFailedException(hub.Name, "the server that is to give the images to the other hosts did not start within 30 s", "Look at the host with ssh, and run the command again.");
        }
    }
}

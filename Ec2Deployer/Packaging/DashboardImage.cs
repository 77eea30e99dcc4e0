using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>
/// The image of Aspire's dashboard: its package upon the base that the orchestrator's image has, whose layers are on that
/// host anyway. It changes with Aspire's version and the base, not with Lab's own code.
/// </summary>
internal static class DashboardImage
{
    /// <summary>Packs it, or finds it packed.</summary>
    /// <param name="builder">Builds the other images, and keeps them.</param>
    /// <param name="orchestrator">The orchestrator's image.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="DeploymentException">The package cannot be had.</exception>
    public static async Task<PackedImage> BuildAsync(ImageBuilder builder, PackedImage orchestrator, CancellationToken cancellationToken)
    {
        var layers = orchestrator.Layers.Where(layer => layer.Part == "base").ToList();
        var tag = Tag(layers);
        if (await builder.FindAsync(ContainerProject.Dashboard.Reference(tag), cancellationToken) is { } known) return known;
        var tools = await builder.FetchDashboardAsync(cancellationToken);
        layers.Add(await LayerWriter.WriteAsync("packages", Files(tools), builder.LayerDirectory, cancellationToken));
        var image = new PackedImage { Reference = ContainerProject.Dashboard.Reference(tag), Tag = tag, Config = Configure(orchestrator.Config, layers), Layers = layers };
        await builder.KeepAsync(ContainerProject.Dashboard, image, cancellationToken);
        return image;
    }

    /// <summary>The files of the package's directory as they are in the image, ordered by path.</summary>
    internal static IReadOnlyList<PublishedFile> Files(string tools) =>
    [
        .. Directory.EnumerateFiles(tools, "*", SearchOption.AllDirectories)
            .Select(file => (Source: file, Name: Path.GetRelativePath(tools, file).Replace('\\', '/')))
            // Packages keep no modes: what NuGet gives the files differs from machine to machine.
            .Select(file => new PublishedFile($"app/{file.Name}", file.Source, "packages") { IsExecutable = file.Name == DashboardPackage.Program })
            .OrderBy(file => file.Path, StringComparer.Ordinal),
    ];

    /// <summary>The base's configuration with the dashboard as its program.</summary>
    internal static string Configure(string config, IReadOnlyList<ImageLayer> layers)
    {
        var root = JsonNode.Parse(config)!;
        if (root["config"] is not JsonObject run) root["config"] = run = [];
        foreach (var name in (string[])["Cmd", "Labels", "ExposedPorts", "Healthcheck"]) run.Remove(name);
        run["Entrypoint"] = new JsonArray($"/app/{DashboardPackage.Program}");
        run["WorkingDir"] = "/app";
        return SdkArchive.Configure(root, layers);
    }

    // A package's version never has another content, so that nothing need be fetched to know what comes of it.
    private static string Tag(IEnumerable<ImageLayer> layers) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"1\n{DashboardPackage.Version}\n{string.Join('\n', layers.Select(layer => layer.DiffId))}")))[..16];
}

using System.Text.Json;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>
/// Builds images by the .NET SDK's container support: no Docker is needed here. What was built once is found again
/// by its identity.
/// </summary>
/// <param name="sources">The directory of the solution.</param>
/// <param name="state">The deployment's own directory on this machine; images and what the compiler made are kept below it.</param>
/// <param name="http">For asking the base image's registry.</param>
/// <param name="architecture">The hosts' processors; null: x86-64.</param>
internal sealed class ImageBuilder(string sources, string state, HttpClient http, HostArchitecture? architecture = null)
{
    private const string DefaultFamily = "noble-chiseled-extra";
    private readonly HostArchitecture _architecture = architecture ?? HostArchitecture.X64;
    // Apart from one another: what is compiled for one is nothing for the other.
    private readonly string _artifacts = architecture is null || architecture == HostArchitecture.X64 ? Path.Combine(state, "build") : Path.Combine(state, "build", architecture.Runtime);
    private string? _defaultBase;
    private readonly string _images = Path.Combine(state, "images");

    /// <summary>The directory of the layers' files.</summary>
    public string LayerDirectory => Path.Combine(_images, "blobs");

    /// <summary>Publishes a program and packs its image, unless the same was packed before.</summary>
    /// <param name="project">The program.</param>
    /// <param name="baseImage">Reference of the base image, or null: the SDK's own of the family without a shell, with ICU.</param>
    /// <param name="model">A model directory instead of the bundled one, or null.</param>
    /// <param name="cancellationToken">Ends the build.</param>
    /// <exception cref="DeploymentException">It cannot be built.</exception>
    public async Task<PackedImage> BuildAsync(ContainerProject project, string? baseImage, string? model, CancellationToken cancellationToken)
    {
        BuildProperty.RequireBuildable(sources, _artifacts);
        baseImage ??= await DefaultBaseAsync(project, cancellationToken);
        var digest = await BaseImage.Parse(baseImage).DigestAsync(http, cancellationToken);
        var built = Path.Combine(_images, $"{project.Repository}.built");
        // Where it is built makes no difference to what comes of it.
        var fingerprint = SourceFingerprint.Of(sources, project.Name, [digest, .. PublishArguments(project, "/src", "/artifacts", _architecture), .. ModelFiles(model)]);
        if (await ReadBuiltAsync(project, built, fingerprint, cancellationToken) is { } same) return same;
        Directory.CreateDirectory(_artifacts);
        await File.WriteAllTextAsync(CompilerOptions(_artifacts), "/parallel-\n", cancellationToken);
        var directory = Path.Combine(_artifacts, "publish", project.Name);
        // What an earlier version published and this one does not must not get into the image.
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        await DotnetCommand.RunAsync(PublishArguments(project, sources, _artifacts, _architecture), $"publishing {project.Name}", cancellationToken);
        var files = PublishedFiles.List(project, directory, model);
        var tag = PublishedFiles.Identity(files, digest);
        if (await ReadAsync(DescriptionOf(project, tag), cancellationToken) is { } known)
        {
            await File.WriteAllTextAsync(built, $"{fingerprint} {tag}", cancellationToken);
            return known;
        }

        var archive = Path.Combine(_images, $".{project.Repository}-{tag}.tar");
        Directory.CreateDirectory(_images);
        try
        {
            await DotnetCommand.RunAsync(ContainerArguments(project, sources, _artifacts, baseImage, archive, _architecture), $"making the image of {project.Name}", cancellationToken);
            var image = await SdkArchive.RepackAsync(archive, project.Reference(tag), tag, files, LayerDirectory, cancellationToken);
            RequireArchitecture(image, baseImage);
            await File.WriteAllTextAsync(DescriptionOf(project, tag), JsonSerializer.Serialize(image, PackagingJson.Default.PackedImage), cancellationToken);
            await File.WriteAllTextAsync(built, $"{fingerprint} {tag}", cancellationToken);
            return image;
        }
        finally
        {
            File.Delete(archive);
        }
    }

    /// <summary>The command line that publishes a program: for Linux on one kind of processors alone, and with nothing in it that depends on when or where.</summary>
    internal static IReadOnlyList<string> PublishArguments(ContainerProject project, string sources, string artifacts, HostArchitecture architecture) =>
    [
        "publish", Path.Combine(sources, project.Name, $"{project.Name}.csproj"),
        "--configuration", "Release", "--runtime", architecture.Runtime, "--no-self-contained",
        "--artifacts-path", BuildProperty.Escape(artifacts), "--disable-build-servers", "--verbosity", "quiet",
        BuildProperty.Option("PublishDir", Path.Combine(artifacts, "publish", project.Name) + "/"),
        BuildProperty.Option("PathMap", $"{BuildProperty.PathMapping(artifacts, "/artifacts")},{BuildProperty.PathMapping(sources, "/src")}"),
        BuildProperty.Option("CompilerResponseFile", CompilerOptions(artifacts)), "-p:IncludeSourceRevisionInInformationalVersion=false", "-p:EnableSourceLink=false", "-p:NuGetAudit=false",
        // Symbols stay out of the image, and what a program says of its own would depend on where it was built.
        "-p:DebugType=none",
    ];

    // A compiler of several threads writes one of several symbol files, and with it one of several programs, as chance has it.
    private static string CompilerOptions(string artifacts) => Path.Combine(artifacts, "compiler.rsp");

    /// <summary>The command line that makes the image's archive of what was published.</summary>
    internal static IReadOnlyList<string> ContainerArguments(ContainerProject project, string sources, string artifacts, string baseImage, string archive, HostArchitecture architecture) =>
    [
        .. PublishArguments(project, sources, artifacts, architecture),
        // What was published a moment ago is what goes in.
        "--no-build", "-t:PublishContainer", BuildProperty.Option("ContainerBaseImage", baseImage), BuildProperty.Option("ContainerArchiveOutputPath", archive),
    ];

    // The SDK takes the one image that a tag means, for whichever processors it is.
    private void RequireArchitecture(PackedImage image, string baseImage)
    {
        if (image.Architecture is { } built && built != _architecture.Debian)
        {
            throw new DeploymentException(ExitCode.Failed,
                $"The base image {baseImage} is for {built} processors, and the hosts have {_architecture.Debian}. Nothing was changed on any host, and what ran there runs on. Name one for {_architecture.Debian}, or for both, with --base-image.");
        }
    }

    private string DescriptionOf(ContainerProject project, string tag) => Path.Combine(_images, $"{project.Repository}-{tag}.json");

    /// <summary>The command line that asks the SDK which image it would build upon.</summary>
    internal static IReadOnlyList<string> DefaultBaseArguments(ContainerProject project, string sources, HostArchitecture architecture) =>
    [
        "msbuild", Path.Combine(sources, project.Name, $"{project.Name}.csproj"), "-target:ComputeContainerBaseImage", "-getProperty:ContainerBaseImage",
        $"-property:ContainerFamily={DefaultFamily}", $"-property:RuntimeIdentifier={architecture.Runtime}", "-property:SelfContained=false",
    ];

    private async Task<string> AskDefaultBaseAsync(ContainerProject project, CancellationToken cancellationToken) =>
        (await DotnetCommand.RunAsync(DefaultBaseArguments(project, sources, _architecture), "asking for the base image", cancellationToken)).Split('\n')[^1].Trim();

    private async Task<string> DefaultBaseAsync(ContainerProject project, CancellationToken cancellationToken) =>
        _defaultBase ??= await AskDefaultBaseAsync(project, cancellationToken);

    /// <summary>An image that was built here before, or null where it is not kept any more.</summary>
    /// <param name="reference">Its full reference.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public Task<PackedImage?> FindAsync(string reference, CancellationToken cancellationToken) =>
        ReadAsync(Path.Combine(_images, $"{reference[(reference.LastIndexOf('/') + 1)..].Replace(':', '-')}.json"), cancellationToken);

    /// <summary>Keeps the description of an image that is made otherwise; its layers are in <see cref="LayerDirectory"/>.</summary>
    public Task KeepAsync(ContainerProject project, PackedImage image, CancellationToken cancellationToken) =>
        File.WriteAllTextAsync(DescriptionOf(project, image.Tag), JsonSerializer.Serialize(image, PackagingJson.Default.PackedImage), cancellationToken);

    /// <inheritdoc cref="DashboardPackage.FetchAsync"/>
    public Task<string> FetchDashboardAsync(CancellationToken cancellationToken) => DashboardPackage.FetchAsync(sources, _artifacts, cancellationToken);

    private async Task<PackedImage?> ReadBuiltAsync(ContainerProject project, string built, string fingerprint, CancellationToken cancellationToken) =>
        File.Exists(built) && (await File.ReadAllTextAsync(built, cancellationToken)).Split(' ') is [var last, var tag] && last == fingerprint
            ? await ReadAsync(DescriptionOf(project, tag), cancellationToken)
            : null;

    // A model is large: its files' times and lengths tell well enough whether it is the one that was packed.
    private static IEnumerable<string> ModelFiles(string? model) => model is null
        ? []
        : PublishedFiles.ModelFiles(model).Order(StringComparer.Ordinal)
            // Hubs keep files elsewhere and link to them: what tells is the file itself.
            .Select(file => (file, itself: (FileInfo)(File.ResolveLinkTarget(file, returnFinalTarget: true) ?? new FileInfo(file))))
            .Select(one => $"{one.file} {one.itself.Length} {one.itself.LastWriteTimeUtc.Ticks}");

    private async Task<PackedImage?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path)) return null;
        await using var file = File.OpenRead(path);
        try
        {
            var image = await JsonSerializer.DeserializeAsync(file, PackagingJson.Default.PackedImage, cancellationToken);
            return image?.Layers.All(layer => new FileInfo(Path.Combine(LayerDirectory, layer.FileName)) is { Exists: true } kept && kept.Length == layer.Bytes) is true
                ? image
                : null;
        }
        catch (JsonException)
        {
            // Cut off while it was written: made again.
            return null;
        }
    }
}

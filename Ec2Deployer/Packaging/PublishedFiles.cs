using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>A file that goes into an image.</summary>
/// <param name="Path">Its path inside the image, without the first slash: <c>app/Worker.dll</c>.</param>
/// <param name="Source">The file here.</param>
/// <param name="Part"><c>packages</c>, <c>model</c> or <c>code</c>: how often it changes, hence its layer.</param>
internal sealed record PublishedFile(string Path, string Source, string Part)
{
    /// <summary>Whether it may be started.</summary>
    public bool IsExecutable { get; init; } =
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(Source) & UnixFileMode.UserExecute) != 0;

    /// <summary>Its content as it goes into the image, which tells nothing of when or where it was built.</summary>
    public Stream Open() => Source.EndsWith(AssetList.Suffix, StringComparison.Ordinal)
        ? new MemoryStream(AssetList.WithoutTimes(File.ReadAllBytes(Source)), writable: false)
        : File.OpenRead(Source);
}

/// <summary>The files of a published program, told apart by how often they change.</summary>
internal static class PublishedFiles
{
    /// <summary>The layers above the base's, from the one that changes least.</summary>
    public static readonly string[] Parts = ["packages", "model", "code"];

    private const string Models = "Models/";

    /// <summary>Lists what a publish directory and a model of the user's put into the image, ordered by path.</summary>
    /// <param name="project">The program.</param>
    /// <param name="directory">Where it was published.</param>
    /// <param name="model">A model directory in place of the bundled models, or null.</param>
    public static IReadOnlyList<PublishedFile> List(ContainerProject project, string directory, string? model)
    {
        var packages = PackageFiles(Path.Combine(directory, $"{project.Name}.deps.json"));
        var files = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Select(file => (Source: file, Name: Path.GetRelativePath(directory, file).Replace('\\', '/')))
            .Where(file => Path.GetExtension(file.Name) is not ".pdb" && (model is null || !file.Name.StartsWith(Models, StringComparison.Ordinal)))
            .Select(file => new PublishedFile($"app/{file.Name}", file.Source, PartOf(file.Name, packages)));
        if (model is not null)
        {
            files = files.Concat(ModelFiles(model)
                .Select(file => new PublishedFile($"app/{ModelPath(model)}/{Path.GetFileName(file)}", file, "model")));
        }

        return [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)];
    }

    /// <summary>The files of a model of the user's: those in the directory itself.</summary>
    /// <exception cref="DeploymentException">One is a link that leads nowhere, or no file.</exception>
    public static IEnumerable<string> ModelFiles(string model) => Directory.EnumerateFiles(model).Select(file =>
        Links.LeadsNowhere(file, out var target)
            ? throw new DeploymentException(ExitCode.Failed, $"The model's file {file} is a link to {target}, where nothing is. Bring the file back or remove the link, and run the command again.")
            : PlainFile.Problem(file) is { } problem ? throw new DeploymentException(ExitCode.Failed, $"The model's file {file} cannot be used: {problem}. Remove it, and run the command again.")
            : file);

    /// <summary>Where a model of the user's lies in the image, seen from the program.</summary>
    public static string ModelPath(string model) => Models + Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model)));

    /// <summary>The image's identity: 16 hexadecimal digits of a hash over every file's path, mode and content, and the base.</summary>
    public static string Identity(IEnumerable<PublishedFile> files, string baseDigest)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        all.AppendData(Encoding.UTF8.GetBytes($"2\n{baseDigest}\n"));
        foreach (var file in files)
        {
            using var content = file.Open();
            var hash = Convert.ToHexStringLower(SHA256.HashData(content));
            all.AppendData(Encoding.UTF8.GetBytes($"{hash} {(file.IsExecutable ? 'x' : '-')} {file.Path}\n"));
        }

        return Convert.ToHexStringLower(all.GetHashAndReset())[..16];
    }

    private static string PartOf(string name, HashSet<string> packages) =>
        name.StartsWith(Models, StringComparison.Ordinal) ? "model"
        : packages.Contains(Path.GetFileName(name)) ? "packages"
        : "code";

    /// <summary>Names of the files that come out of packages, which the program's list of dependencies tells.</summary>
    private static HashSet<string> PackageFiles(string dependencies)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(dependencies));
        var libraries = document.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.GetProperty("type").GetString() is "package")
            .Select(library => library.Name).ToHashSet(StringComparer.Ordinal);
        return document.RootElement.GetProperty("targets").EnumerateObject()
            .SelectMany(target => target.Value.EnumerateObject())
            .Where(library => libraries.Contains(library.Name))
            .SelectMany(library => library.Value.EnumerateObject())
            .Where(group => group.Name is "runtime" or "native" or "resources")
            .SelectMany(group => group.Value.EnumerateObject())
            .Select(asset => Path.GetFileName(asset.Name))
            .ToHashSet(StringComparer.Ordinal);
    }
}

using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>
/// A hash over everything that a program is built from. Where it is the one of the last build, there is nothing to
/// build: a deployment that changes nothing need not start the compiler to know it.
/// </summary>
internal static class SourceFingerprint
{
    private static readonly string[] Skipped = ["bin", "obj"];

    /// <summary>Hashes a project, the projects it refers to, the files that govern them all, and what is given besides.</summary>
    /// <param name="sources">The directory of the solution.</param>
    /// <param name="project">The project's name.</param>
    /// <param name="rest">What else the image depends on, such as its base.</param>
    public static string Of(string sources, string project, params IEnumerable<string> rest)
    {
        var directories = new SortedSet<string>(StringComparer.Ordinal);
        Collect(Path.GetFullPath(Path.Combine(sources, project, $"{project}.csproj")), directories);
        var files = directories.SelectMany(directory => Files(directory, directory, [])).Concat(Directory.EnumerateFiles(sources))
            .Select(file => Path.GetRelativePath(sources, file)).Order(StringComparer.Ordinal);

        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var text in rest.Append(RuntimeInformation.FrameworkDescription)) all.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        foreach (var file in files)
        {
            all.AppendData(Encoding.UTF8.GetBytes($"{Content(Path.Combine(sources, file))} {file}\n"));
        }

        return Convert.ToHexStringLower(all.GetHashAndReset())[..16];
    }

    private static void Collect(string projectFile, SortedSet<string> directories)
    {
        var directory = Path.GetDirectoryName(projectFile)!;
        if (!directories.Add(directory)) return;
        foreach (var reference in XDocument.Load(projectFile).Descendants("ProjectReference"))
        {
            if (reference.Attribute("Include")?.Value is { } path)
                Collect(Path.GetFullPath(Path.Combine(directory, path.Replace('\\', '/'))), directories);
        }
    }

    /// <summary>A directory's files and those below it; a link that leads back to where it came from is not followed.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="real">Its path without the links that led to it.</param>
    /// <param name="above">The real paths of the directories that it is in.</param>
    private static IEnumerable<string> Files(string directory, string real, HashSet<string> above)
    {
        if (!above.Add(real)) yield break;
        foreach (var file in Directory.EnumerateFiles(directory)) yield return file;
        foreach (var below in Directory.EnumerateDirectories(directory).Where(below => !Skipped.Contains(Path.GetFileName(below))))
        {
            var path = Path.Combine(real, Path.GetFileName(below));
            var target = new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
            foreach (var file in Files(below, Path.TrimEndingDirectorySeparator(target), above)) yield return file;
        }

        above.Remove(real);
    }

    // Editors leave links that lead nowhere beside a file that is being changed (".#Program.cs"): there is nothing to read.
    private static string Content(string path)
    {
        if (Links.LeadsNowhere(path, out var target)) return $"-> {target}";
        using var content = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }
}

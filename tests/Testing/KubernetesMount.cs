using Xunit;

namespace Lab.Testing;

/// <summary>
/// A directory of files as Kubernetes mounts it: each is a link through <c>..data</c>, and a new version of them all is
/// another directory to which that one link is renamed. No file that is named by its user ever changes.
/// </summary>
public sealed class KubernetesMount : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-mount-");
    private int _version;

    /// <summary>The directory.</summary>
    public string FullName => _directory.FullName;

    /// <summary>The path by which a file is known.</summary>
    public string PathOf(string name) => Path.Combine(FullName, name);

    /// <summary>Puts another version of all files in place of the last.</summary>
    public async Task SetAsync(params (string Name, string Content)[] files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var version = _directory.CreateSubdirectory($"..v{++_version}");
        foreach (var (name, content) in files)
        {
            await File.WriteAllTextAsync(Path.Combine(version.FullName, name), content);
            // As old as every version before it, as archives and images make them: a date tells nothing.
            File.SetLastWriteTimeUtc(Path.Combine(version.FullName, name), DateTime.UnixEpoch);
            if (new FileInfo(PathOf(name)).LinkTarget is null) File.CreateSymbolicLink(PathOf(name), Path.Combine("..data", name));
        }

        File.CreateSymbolicLink(PathOf("..data_tmp"), version.Name);
        // rename(2): .NET moves no link to a directory over another.
        Assert.Equal(0, (await ChildProcess.RunAsync("mv", ["-T", "..data_tmp", "..data"], directory: FullName)).Code);
        foreach (var link in _directory.EnumerateFiles().Where(file => file.LinkTarget is not null && !File.Exists(file.FullName))) link.Delete();
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);
}

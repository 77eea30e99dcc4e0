using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace Lab.ServiceDefaults.Access;

/// <summary>A settings file as it was read last: what is compared and what is taken over are the same bytes.</summary>
/// <param name="path">Where it is.</param>
internal sealed class SettingsFile(string path) : IFileProvider, IFileInfo
{
    private const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Where it is.</summary>
    public string Path => path;

    /// <summary>What it holds.</summary>
    public FileContent Content { get; set; } = FileContent.Read(path, MaxBytes);

    public bool Exists => !Content.IsMissing;

    public long Length => Content.Bytes?.Length ?? 0;

    // With a path it would be opened again.
    public string? PhysicalPath => null;

    public string Name => System.IO.Path.GetFileName(path);

    public DateTimeOffset LastModified => DateTimeOffset.MinValue;

    public bool IsDirectory => false;

    /// <summary>Reads it again.</summary>
    public FileContent Read() => FileContent.Read(path, MaxBytes);

    public Stream CreateReadStream() => Content.Fault is { } fault ? throw new IOException(fault) : new MemoryStream((Content.Bytes ?? default).ToArray());

    public IFileInfo GetFileInfo(string subpath) => this;

    public IDirectoryContents GetDirectoryContents(string subpath) => NotFoundDirectoryContents.Singleton;

    public IChangeToken Watch(string filter) => NullChangeToken.Singleton;
}

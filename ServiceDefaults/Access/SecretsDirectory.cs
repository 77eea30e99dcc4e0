using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// Configuration from a directory of secret files: a file's name is the setting's (<c>__</c> stands for <c>:</c>), its
/// content the value. It is followed by a <see cref="FileWatch{T}"/>. A file that cannot be read keeps its last value.
/// </summary>
internal sealed class SecretsDirectory : ConfigurationProvider, IConfigurationSource, IDisposable
{
    private const int MaxFiles = 1000;
    private const int MaxBytes = 64 * 1024;

    private readonly string _path;
    private readonly TimeProvider _time;
    private FileWatch<Secrets>? _watch;

    /// <summary>Creates the provider.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="time">The clock.</param>
    public SecretsDirectory(string path, TimeProvider time) => (_path, _time) = (Path.GetFullPath(path), time);

    /// <summary>What could not be read last, by file.</summary>
    public IReadOnlyDictionary<string, string> Faults { get; private set; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Reads it for the first time.</summary>
    /// <exception cref="OptionsValidationException">There is no such directory, or it may not be read.</exception>
    public override void Load()
    {
        if (!Directory.Exists(_path))
            throw new OptionsValidationException(AccessSettings.Section, typeof(SecretsDirectory), [$"{AccessSettings.Section}:{AccessSettings.SecretsDirectory}: there is no directory '{_path}'."]);
        var secrets = Read();
        (Data, Faults) = (secrets.Data, secrets.Faults);
        if (Faults.TryGetValue(_path, out var fault)) throw new OptionsValidationException(AccessSettings.Section, typeof(SecretsDirectory), [$"{AccessSettings.Section}:{AccessSettings.SecretsDirectory}: {fault}"]);
        _watch?.Dispose();
        _watch = new(secrets, Read, Change, _time);
    }

    /// <summary>Whether a setting comes from one of the files.</summary>
    public bool Has(string path) => Data.ContainsKey(path);

    public void Dispose() => _watch?.Dispose();

    private void Change(Secrets secrets)
    {
        (Data, Faults) = (secrets.Data, secrets.Faults);
        OnReload();
    }

    private Secrets Read()
    {
        var data = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var faults = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            // Hidden files are the mount's own (Kubernetes' ..data) or an editor's.
            foreach (var file in Directory.EnumerateFiles(_path).Where(file => !Path.GetFileName(file).StartsWith('.')).Take(MaxFiles))
            {
                var setting = Path.GetFileName(file).Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal);
                var content = FileContent.Read(file, MaxBytes);
                if (content.Fault is null) data[setting] = content.Text.TrimEnd('\r', '\n');
                // Removed between the list and now: it is gone, and that is no fault.
                if (content.Fault is null || content.IsMissing) continue;
                faults[file] = content.Fault;
                if (Data.TryGetValue(setting, out var last)) data[setting] = last;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(new(Data, StringComparer.OrdinalIgnoreCase), new(StringComparer.Ordinal) { [_path] = e.Message });
        }

        return new(data, faults);
    }

    private sealed record Secrets(Dictionary<string, string?> Data, Dictionary<string, string> Faults)
    {
        public bool Equals(Secrets? other) => other is not null && Same(Data, other.Data) && Same(Faults, other.Faults);

        public override int GetHashCode() => HashCode.Combine(Data.Count, Faults.Count);

        private static bool Same<T>(IEnumerable<KeyValuePair<string, T>> one, IEnumerable<KeyValuePair<string, T>> other) =>
            one.OrderBy(pair => pair.Key, StringComparer.Ordinal).SequenceEqual(other.OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }
}

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// Configuration from a directory of secret files: a file's name is the setting's (<c>__</c> stands for <c>:</c>), its
/// content the value. The directory is read twice a second and compared by content, so that a change is seen however it
/// is mounted: as Docker and Kubernetes do it, by renaming a link, there is no event. A file that cannot be read keeps
/// its last value.
/// </summary>
internal sealed class SecretsDirectory : ConfigurationProvider, IConfigurationSource, IDisposable
{
    private const int MaxFiles = 1000;
    private const int MaxBytes = 64 * 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly string _path;
    private readonly ITimer _timer;
    private int _reading;

    /// <summary>Creates the provider.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="time">The clock.</param>
    public SecretsDirectory(string path, TimeProvider time)
    {
        _path = Path.GetFullPath(path);
        _timer = time.CreateTimer(_ => Poll(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

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
        (Data, Faults) = Read();
        if (Faults.TryGetValue(_path, out var fault)) throw new OptionsValidationException(AccessSettings.Section, typeof(SecretsDirectory), [$"{AccessSettings.Section}:{AccessSettings.SecretsDirectory}: {fault}"]);
        _timer.Change(Interval, Interval);
    }

    /// <summary>Whether a setting comes from one of the files.</summary>
    public bool Has(string path) => Data.ContainsKey(path);

    public void Dispose() => _timer.Dispose();

    private void Poll()
    {
        // A slow file system must not make readers pile up.
        if (Interlocked.Exchange(ref _reading, 1) == 1) return;
        try
        {
            var (data, faults) = Read();
            if (Same(data, Data) && Same(faults, Faults)) return;
            (Data, Faults) = (data, faults);
            OnReload();
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    private (Dictionary<string, string?> Data, Dictionary<string, string> Faults) Read()
    {
        var data = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var faults = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            // Hidden files are the mount's own (Kubernetes' ..data) or an editor's.
            foreach (var file in Directory.EnumerateFiles(_path).Where(file => !Path.GetFileName(file).StartsWith('.')).Take(MaxFiles))
            {
                var setting = Path.GetFileName(file).Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal);
                try
                {
                    data[setting] = ReadFile(file);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Removed between the list and now: it is gone, and that is no fault.
                    if (e is FileNotFoundException) continue;
                    faults[file] = e.Message;
                    if (Data.TryGetValue(setting, out var last)) data[setting] = last;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (new(Data, StringComparer.OrdinalIgnoreCase), new(StringComparer.Ordinal) { [_path] = e.Message });
        }

        return (data, faults);
    }

    private static string ReadFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > MaxBytes) throw new IOException($"'{path}' is larger than {MaxBytes} bytes.");
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().TrimEnd('\r', '\n');
    }

    private static bool Same<T>(IEnumerable<KeyValuePair<string, T>> one, IEnumerable<KeyValuePair<string, T>> other) =>
        one.OrderBy(pair => pair.Key, StringComparer.Ordinal).SequenceEqual(other.OrderBy(pair => pair.Key, StringComparer.Ordinal));
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Lab.ServiceDefaults.Telemetry;

/// <summary>
/// OpenTelemetry's variables by their types (opentelemetry-specification, specification/configuration/common.md): an empty
/// one is not set, and one that cannot be used is told, once, and counts as not set.
/// </summary>
/// <param name="configuration">Where they are: environment variables and whatever else the service is configured by.</param>
internal sealed partial class OtelVariables(IConfiguration configuration)
{
    private const int MaxShownChars = 100;
    private const int MaxFileBytes = 16 * 1024;

    private readonly List<string> _faults = [];
    private readonly Dictionary<string, string?> _replacements = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What cannot be used, a line for each variable.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>What takes a variable's place; empty for one that counts as not set.</summary>
    public IReadOnlyDictionary<string, string?> Replacements => _replacements;

    /// <summary>A variable as it is set; <c>null</c> where it is not, or is empty.</summary>
    public string? this[string name] => configuration[name]?.Trim() is { Length: > 0 } value ? value : null;

    /// <summary>Tells what is wrong with a variable.</summary>
    /// <param name="name">The variable.</param>
    /// <param name="message">What is wrong, and what happens instead.</param>
    /// <param name="replacement">What takes its place.</param>
    public void Fault(string name, string message, string replacement = "")
    {
        // Some are read for each signal.
        if (_replacements.TryAdd(name, replacement)) _faults.Add(message);
    }

    /// <summary>Puts something else in a variable's place, of which there is nothing to tell.</summary>
    public void Replace(string name, string value) => _replacements[name] = value;

    /// <summary>A value of those that are known, whatever the case.</summary>
    public string? Choice(string name, string instead, params string[] known)
    {
        if (this[name] is not { } value) return null;
        if (known.FirstOrDefault(choice => choice.Equals(value, StringComparison.OrdinalIgnoreCase)) is { } found) return found;
        Fault(name, $"{name} is '{Shown(value)}', which is not supported; {instead}. Supported: {string.Join(", ", known)}.");
        return null;
    }

    /// <summary>Those of a list's values that are known, whatever the case; <c>null</c> where it is not set.</summary>
    public IReadOnlyList<string>? Choices(string name, string instead, params string[] known)
    {
        if (this[name] is not { } list) return null;
        var found = new List<string>();
        foreach (var value in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (known.FirstOrDefault(choice => choice.Equals(value, StringComparison.OrdinalIgnoreCase)) is { } choice) found.Add(choice);
            else Fault(name, $"{name} has '{Shown(value)}', which is not supported; {instead}. Supported: {string.Join(", ", known)}.");
        }

        return found;
    }

    /// <summary>An absolute <c>http://</c> or <c>https://</c> address.</summary>
    public Uri? Address(string name)
    {
        if (this[name] is not { } value) return null;
        if (Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https") return address;
        // What stands before an @ may be a password.
        Fault(name, $"{name} is '{Shown(value[(value.LastIndexOf('@') + 1)..])}', no address like http://localhost:4317; it is passed over.");
        return null;
    }

    /// <summary>A whole number.</summary>
    public int? Number(string name, int min, string what)
    {
        if (this[name] is not { } value) return null;
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min) return number;
        Fault(name, $"{name} is '{Shown(value)}', {what}; it is passed over.");
        return null;
    }

    /// <summary>Milliseconds, of which 0 are no limit.</summary>
    public int? Timeout(string name)
    {
        if (Number(name, 0, "not a number of milliseconds from 0 to 2147483647") is not { } milliseconds) return null;
        if (milliseconds > 0) return milliseconds;
        Replace(name, int.MaxValue.ToString(CultureInfo.InvariantCulture));
        return int.MaxValue;
    }

    /// <summary>Names and values of headers, <c>name1=value1,name2=value2</c>, the values percent-encoded (W3C Baggage). No value is ever told.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Pairs(string name) => this[name] is { } list ? Pairs(name, list) : null;

    /// <summary>The same of a file that a setting names.</summary>
    /// <param name="setting">The setting.</param>
    public IReadOnlyList<KeyValuePair<string, string>>? PairsIn(string setting)
    {
        if (this[setting] is not { } path) return null;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var buffer = new byte[MaxFileBytes + 1];
            var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length <= MaxFileBytes) return Pairs(setting, Encoding.UTF8.GetString(buffer, 0, length).Trim());
            Fault(setting, $"{setting}: '{path}' has more than {MaxFileBytes} bytes; it is passed over.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Fault(setting, $"{setting}: {e.Message.ReplaceLineEndings(" ")} No headers are sent.");
        }

        return null;
    }

    private List<KeyValuePair<string, string>> Pairs(string name, string list)
    {
        var pairs = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (pair, index) in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select((pair, index) => (pair, index)))
        {
            var (key, equals, value) = (pair.Split('=')[0].Trim(), pair.Contains('=', StringComparison.Ordinal), Uri.UnescapeDataString(pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim()));
            if (equals && HeaderName().IsMatch(key) && !Reserved().IsMatch(key) && !value.Any(char.IsControl)) pairs[key] = value;
            else Fault(name, $"{name}: pair {index + 1} is no name=value of a header that may be set; that pair is passed over.");
        }

        return [.. pairs];
    }

    private static string Shown(string value)
    {
        var line = value.ReplaceLineEndings(" ");
        return line.Length <= MaxShownChars ? line : $"{line.AsSpan(0, MaxShownChars)}…";
    }

    // RFC 9110, 5.6.2: token.
    [GeneratedRegex(@"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
    private static partial Regex HeaderName();

    // The exporter's own.
    [GeneratedRegex(@"^(content-.*|user-agent|host|te|transfer-encoding|connection)$", RegexOptions.IgnoreCase)]
    private static partial Regex Reserved();
}

using System.Text.Json;
using System.Text.RegularExpressions;
using Lab.ServiceDefaults.Access;

namespace Lab.Orchestrator.Workers;

/// <summary>The workers' names and addresses are not as they should be; the message says which and why.</summary>
public sealed class WorkerAddressException : Exception
{
    /// <summary>Creates the exception with a message for the person who wrote the list.</summary>
    public WorkerAddressException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its cause.</summary>
    public WorkerAddressException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>Creates the exception without a message.</summary>
    public WorkerAddressException()
    {
    }
}

/// <summary>Where the workers are: from a JSON file, the section <c>Workers</c>, or Aspire's <c>services__worker-1__http__0</c>.</summary>
internal static partial class WorkerAddresses
{
    /// <summary>The largest file that is read, in bytes.</summary>
    public const int MaxFileBytes = 1024 * 1024;

    private const string ServicePrefix = "worker";
    private const int MaxShownChars = 100;

    /// <summary>Reads the first of the configuration's two sources that names a worker: <c>Workers</c>, then <c>services</c>.</summary>
    public static IReadOnlyDictionary<string, Uri> FromConfiguration(IConfiguration configuration)
    {
        var listed = configuration.GetSection("Workers").GetChildren().Select(child => (child.Key, child.Value)).ToList();
        if (listed.Count == 0)
        {
            listed = [.. configuration.GetSection("services").GetChildren()
                .Where(service => service.Key.StartsWith(ServicePrefix, StringComparison.OrdinalIgnoreCase))
                .Select(service => (service.Key, service["http:0"] ?? service["https:0"]))];
        }

        return Check(listed);
    }

    /// <summary>Reads <c>{"worker-1":"http://10.0.0.11:8000",…}</c>.</summary>
    /// <exception cref="WorkerAddressException">The file cannot be read, is no such object, or names something twice.</exception>
    public static IReadOnlyDictionary<string, Uri> FromFile(string path) => FromContent(path, FileContent.Read(path, MaxFileBytes));

    /// <summary>Reads what such a file holds.</summary>
    /// <param name="path">The file, for the message.</param>
    /// <param name="content">What it holds.</param>
    /// <exception cref="WorkerAddressException">The file could not be read, is no such object, or names something twice.</exception>
    public static IReadOnlyDictionary<string, Uri> FromContent(string path, FileContent content)
    {
        if (content.Fault is { } fault) throw new WorkerAddressException(fault);
        try
        {
            using var document = JsonDocument.Parse(content.Text);
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
                throw new WorkerAddressException($"{path}: expected an object of names and addresses.");
            return Check(document.RootElement.EnumerateObject()
                .Select(member => (member.Name, member.Value.ValueKind is JsonValueKind.String ? member.Value.GetString() : null)));
        }
        catch (JsonException e)
        {
            throw new WorkerAddressException($"{path}: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // The reader's word for an escaped surrogate without its other half.
            throw new WorkerAddressException($"{path}: a text in it is not valid Unicode.", e);
        }
    }

    private static Dictionary<string, Uri> Check(IEnumerable<(string Name, string? Address)> listed)
    {
        var workers = new Dictionary<string, Uri>(StringComparer.Ordinal);
        var owners = new Dictionary<Uri, string>();
        foreach (var (name, text) in listed)
        {
            if (!Name().IsMatch(name))
                throw new WorkerAddressException($"'{Shown(name)}' is no name for a worker: 1 to 63 letters, digits, dots, dashes or underscores.");
            if (!Uri.TryCreate(text, UriKind.Absolute, out var address)
                || address.Scheme is not ("http" or "https") || address.PathAndQuery != "/" || address.UserInfo.Length > 0)
                // What stands before an @ may be a password.
                throw new WorkerAddressException($"The address of {name} is '{Shown(text?[(text.LastIndexOf('@') + 1)..])}': expected something like http://10.0.0.11:8000, without a path or user.");
            if (!workers.TryAdd(name, address)) throw new WorkerAddressException($"{name} is listed twice.");
            // Two names for one worker would be two computations at a time.
            if (!owners.TryAdd(address, name)) throw new WorkerAddressException($"{owners[address]} and {name} have the same address, {text}.");
        }

        return workers;
    }

    // It goes into the log: nothing in it ends a line, and much of it is of no use there.
    private static string Shown(string? text) => string.Concat((text ?? "").Take(MaxShownChars).Select(character => char.IsControl(character) ? $"\\u{(int)character:x4}" : $"{character}"));

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,63}\z")]
    private static partial Regex Name();
}

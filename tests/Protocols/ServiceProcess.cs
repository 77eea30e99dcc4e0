using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Lab.Tests.Protocols;

/// <summary>
/// A service as a process of its own, where what is asked of it must not mix with other tests: all meters of a process
/// are counted together.
/// </summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly DirectoryInfo _directory;

    private ServiceProcess(Process process, DirectoryInfo directory, Uri address)
    {
        _process = process;
        _directory = directory;
        Client = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(20) };
    }

    public HttpClient Client { get; }

    public int Id => _process.Id;

    /// <summary>Starts a service in a directory of its own and waits until it listens.</summary>
    public static async Task<ServiceProcess> StartAsync(string assembly, IEnumerable<string> settings, CancellationToken cancellation)
    {
        var directory = Directory.CreateTempSubdirectory("lab-test-");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, assembly), "--urls=http://127.0.0.1:0", .. settings])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = directory.FullName,
        };
        var process = Process.Start(start)!;
        try
        {
            return new(process, directory, await ReadAddressAsync(process, assembly, cancellation));
        }
        catch
        {
            process.Kill();
            process.Dispose();
            directory.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>The measurements: value by name and labels, without those that tell of the library.</summary>
    public async Task<Dictionary<string, double>> MetricsAsync(CancellationToken cancellation)
    {
        using var response = await Client.GetAsync("/metrics", cancellation);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        return text.Split('\n')
            .Where(line => line.StartsWith("lab_", StringComparison.Ordinal) || line.StartsWith("http_", StringComparison.Ordinal))
            .Select(line => Line().Match(line))
            .ToDictionary(
                line => $"{line.Groups["name"].Value}{Labels(line.Groups["labels"].Value)}",
                line => double.Parse(line.Groups["value"].ValueSpan, CultureInfo.InvariantCulture));
    }

    private static string Labels(string labels)
    {
        var own = string.Join(',', labels.Split(',').Where(label => !label.StartsWith("otel_scope", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        return own.Length == 0 ? "" : $"{{{own}}}";
    }

    [GeneratedRegex(@"^(?<name>\w+)(\{(?<labels>.*)\})? (?<value>\S+)")]
    private static partial Regex Line();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private static async Task<Uri> ReadAddressAsync(Process process, string assembly, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (await process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            var at = line.IndexOf("http://127.0.0.1:", StringComparison.Ordinal);
            if (at < 0 || !line.Contains("listening", StringComparison.Ordinal)) continue;
            // Read on, or the process stands still as soon as the pipe is full.
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return new(line[at..].Trim());
        }

        throw new InvalidOperationException($"{assembly} ended without listening.");
    }
}

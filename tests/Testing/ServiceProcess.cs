using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace Lab.Testing;

/// <summary>
/// A service as a process of its own, where it is to be killed, or where what is asked of it must not mix with other
/// tests: all meters of a process are counted together.
/// </summary>
public sealed partial class ServiceProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-test-");

    private ServiceProcess(string program, IEnumerable<string> settings, IReadOnlyDictionary<string, string?>? environment)
    {
        Program = program;
        _process = ChildProcess.Start("dotnet", [program, "--urls=http://127.0.0.1:0", .. settings], environment, _directory.FullName);
    }

    /// <summary>Its program.</summary>
    public string Program { get; }

    /// <summary>Asks it, at the address that it listens at.</summary>
    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>What it has written so far.</summary>
    public string Output => _process.Output;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts a service in a directory of its own and waits until it listens.</summary>
    /// <param name="assembly">Its program: a path, or a name beside the tests.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="environment">Variables beside the test's own.</param>
    public static async Task<ServiceProcess> StartAsync(string assembly, IEnumerable<string> settings, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var service = new ServiceProcess(PathOf(assembly), settings, environment);
        try
        {
            var address = await Eventually.GetAsync(() =>
            {
                Assert.False(service._process.HasExited, $"{assembly} has ended without listening:\n{service.Output}");
                var listening = ListeningOn().Match(service.Output);
                return Task.FromResult(listening.Success ? listening.Groups["address"].Value : null);
            }, $"{assembly} listens", () => service.Output);
            service.Client.BaseAddress = new(address);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a service that ends by itself.</summary>
    /// <param name="assembly">Its program: a path, or a name beside the tests.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="environment">Variables beside the test's own.</param>
    public static Task<ProgramRun> FailAsync(string assembly, IEnumerable<string> settings, IReadOnlyDictionary<string, string?>? environment = null) =>
        ChildProcess.RunAsync("dotnet", [PathOf(assembly), "--urls=http://127.0.0.1:0", .. settings], environment);

    /// <summary>Waits until it is healthy.</summary>
    public Task UntilHealthyAsync() => Eventually.TrueAsync(async () =>
    {
        using var response = await Client.GetAsync(new Uri("/health", UriKind.Relative), Cancellation);
        return response.IsSuccessStatusCode;
    }, $"{Program} is healthy", () => Output);

    /// <summary>Its measurements: value by name and labels, without those that tell of the library.</summary>
    public async Task<Dictionary<string, double>> MetricsAsync()
    {
        using var response = await Client.GetAsync(new Uri("/metrics", UriKind.Relative), Cancellation);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        return text.Split('\n')
            .Where(line => line.StartsWith("lab_", StringComparison.Ordinal) || line.StartsWith("http_", StringComparison.Ordinal))
            .Select(line => Line().Match(line))
            .ToDictionary(
                line => $"{line.Groups["name"].Value}{Labels(line.Groups["labels"].Value)}",
                line => double.Parse(line.Groups["value"].ValueSpan, CultureInfo.InvariantCulture));
    }

    /// <summary>Waits until its measurements are as wanted. Prometheus' exporter keeps what it has told for a moment.</summary>
    /// <returns>The measurements.</returns>
    public async Task<Dictionary<string, double>> UntilMetricsAsync(
        Func<Dictionary<string, double>, bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        Dictionary<string, double> last = [];
        return await Eventually.GetAsync(async () =>
        {
            last = await MetricsAsync();
            return condition(last) ? last : null;
        }, what, () => $"{string.Join('\n', last)}\n{Output}");
    }

    /// <summary><c>kill -9</c></summary>
    public Task KillAsync()
    {
        _process.Signal(ChildProcess.Kill);
        return WaitForExitAsync();
    }

    /// <summary><c>kill</c>: asks it to stop, and waits until it has.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        _process.Signal(ChildProcess.Terminate);
        await WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Waits until it has ended.</summary>
    public Task WaitForExitAsync() => _process.WaitForExitAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private static string PathOf(string assembly) => Path.Combine(AppContext.BaseDirectory, assembly);

    private static string Labels(string labels)
    {
        var own = string.Join(',', labels.Split(',').Where(label => !label.StartsWith("otel_scope", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        return own.Length == 0 ? "" : $"{{{own}}}";
    }

    [GeneratedRegex(@"^(?<name>\w+)(\{(?<labels>.*)\})? (?<value>\S+)")]
    private static partial Regex Line();

    [GeneratedRegex(@"Now listening on: (?<address>http://127\.0\.0\.1:\d+)")]
    private static partial Regex ListeningOn();
}

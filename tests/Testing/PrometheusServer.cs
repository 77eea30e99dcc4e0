using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Lab.Testing;

/// <summary>Debian's Prometheus, in a directory of its own, scraping one service; nothing is left of it.</summary>
public sealed class PrometheusServer : IAsyncDisposable
{
    private const string Server = "/usr/bin/prometheus", Tool = "/usr/bin/promtool";

    private readonly DirectoryInfo _directory;
    private readonly ChildProcess _process;
    private readonly HttpClient _client;

    private PrometheusServer(DirectoryInfo directory, ChildProcess process, int port)
    {
        _directory = directory;
        _process = process;
        _client = new() { BaseAddress = new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")), Timeout = TimeSpan.FromSeconds(20) };
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts one, or skips the test where it is not installed.</summary>
    /// <param name="target">The service.</param>
    /// <param name="key">The key that it needs, if it does.</param>
    public static async Task<PrometheusServer> StartAsync(Uri target, string? key = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        SkipUnlessInstalled();
        var directory = Directory.CreateTempSubdirectory("lab-prometheus-");
        var keyFile = Path.Combine(directory.FullName, "key");
        await File.WriteAllTextAsync(keyFile, key, Cancellation);
        var configuration = Path.Combine(directory.FullName, "prometheus.yml");
        await File.WriteAllTextAsync(configuration, $"""
            scrape_configs:
              - job_name: lab
                scrape_interval: 1s
                scrape_timeout: 1s
                {(key is null ? "" : $$"""authorization: { credentials_file: {{keyFile}} }""")}
                static_configs: [{"{"} targets: ["{target.Authority}"] {"}"}]

            """, Cancellation);
        var port = FreePorts.Take();
        var process = ChildProcess.Start(Server,
            [$"--config.file={configuration}", $"--storage.tsdb.path={Path.Combine(directory.FullName, "data")}", string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}")]);
        return new(directory, process, port);
    }

    /// <summary>What promtool says of measurements, a line for each fault.</summary>
    /// <param name="measurements">Measurements in the text format.</param>
    public static async Task<IReadOnlyList<string>> CheckAsync(string measurements)
    {
        SkipUnlessInstalled();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, measurements, Cancellation);
            var run = await ChildProcess.RunAsync("sh", ["-c", $"{Tool} check metrics < \"$0\"", file]);
            return [.. run.Output.Split('\n').Concat(run.ErrorLines).Where(line => line.Length > 0)];
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Waits until it has scraped, without a fault, and gives what an expression then comes to.</summary>
    /// <param name="expression">The expression, of PromQL.</param>
    /// <returns>The values, as Prometheus writes them, by their labels.</returns>
    public async Task<IReadOnlyList<(JsonElement Labels, string? Value)>> QueryAsync(string expression)
    {
        var found = await Eventually.GetAsync(async () =>
        {
            var targets = await GetAsync("/api/v1/targets");
            var error = targets.GetProperty("activeTargets").EnumerateArray().Select(target => target.GetProperty("lastError").GetString()).FirstOrDefault();
            // On a busy machine an answer may come too late for one scrape.
            Assert.True(string.IsNullOrEmpty(error) || error.Contains("deadline exceeded", StringComparison.Ordinal), error);
            var result = (await GetAsync($"/api/v1/query?query={Uri.EscapeDataString(expression)}")).GetProperty("result");
            return result.GetArrayLength() == 0 ? null : result.EnumerateArray().Select(one => (one.GetProperty("metric"), one.GetProperty("value")[1].GetString())).ToList();
        }, $"Prometheus has {expression}", () => _process.Output);
        Assert.DoesNotContain(_process.Lines, line => line.Contains("level=warn", StringComparison.Ordinal) || line.Contains("level=error", StringComparison.Ordinal));
        return found;
    }

    /// <summary>What it knows of a metric.</summary>
    /// <param name="family">The metric's family: of a counter its name without <c>_total</c> (OpenMetrics).</param>
    public async Task<(string? Type, string? Help)> MetadataAsync(string family)
    {
        var metadata = (await GetAsync($"/api/v1/metadata?metric={family}")).EnumerateObject().Select(metric => metric.Value[0]).ToList();
        var (type, help) = (Assert.Single(metadata).GetProperty("type"), metadata[0].GetProperty("help"));
        return (type.GetString(), help.GetString());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _process.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private static void SkipUnlessInstalled() => Assert.SkipUnless(
        File.Exists(Server) || Environment.GetEnvironmentVariable("CI") == "true", "Prometheus is not installed (Debian: apt-get install prometheus).");

    // While it starts it answers 503.
    private async Task<JsonElement> GetAsync(string path)
    {
        using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
        if (response.StatusCode is System.Net.HttpStatusCode.ServiceUnavailable) throw new HttpRequestException("not ready");
        response.EnsureSuccessStatusCode();
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        return json.RootElement.GetProperty("data").Clone();
    }
}

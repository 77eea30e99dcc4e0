using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace Lab.EndToEnd.Cluster;

/// <summary>One service in a process of its own, which a test may kill, stop and start again at the same address.</summary>
internal sealed class LabService : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly string _program;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly ConcurrentQueue<string> _output = new();
    private Process? _process;

    /// <param name="program">The name under which the build put its path into this assembly.</param>
    /// <param name="port">Where it listens, on the loopback interface.</param>
    /// <param name="environment">Its settings.</param>
    public LabService(string program, int port, IReadOnlyDictionary<string, string> environment)
    {
        _program = Assembly.GetExecutingAssembly()
            .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == program).Value!;
        _environment = environment;
        Address = new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
    }

    public Uri Address { get; }

    public int Pid => _process!.Id;

    public string Output => string.Join('\n', _output);

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAsync(HttpClient client, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet", [_program]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ASPNETCORE_URLS"] = Address.ToString();
        start.Environment["ORT_DISABLE_TELEMETRY"] = "1";
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        _process?.Dispose();
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Remember(line.Data);
        _process.ErrorDataReceived += (_, line) => Remember(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri(Address, "/health"), cancellation);
                if (response.IsSuccessStatusCode) return;
            }
            catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                // Not listening yet, or too busy starting to answer.
            }

            Assert.False(_process.HasExited, $"{_program} has ended:\n{Output}");
            Assert.True(watch.Elapsed < StartLimit, $"{_program} is not ready after {StartLimit}:\n{Output}");
            await Task.Delay(50, cancellation);
        }
    }

    public async Task KillAsync(CancellationToken cancellation)
    {
        MarkedProcesses.Signal(Pid, MarkedProcesses.Kill);
        await _process!.WaitForExitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private void Remember(string? line)
    {
        if (line is not null) _output.Enqueue(line);
    }
}

using System.Globalization;
using System.Reflection;
using Lab.Testing;

namespace Lab.EndToEnd.Cluster;

/// <summary>One service in a process of its own, which a test may kill, stop and start again at the same address.</summary>
internal sealed class LabService : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly string _program;
    private readonly Dictionary<string, string?> _environment;
    private ChildProcess? _process;

    /// <param name="program">The name under which the build put its path into this assembly.</param>
    /// <param name="port">Where it listens, on the loopback interface.</param>
    /// <param name="environment">Its settings.</param>
    public LabService(string program, int port, IReadOnlyDictionary<string, string> environment)
    {
        _program = Assembly.GetExecutingAssembly()
            .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == program).Value!;
        Address = new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        _environment = environment.ToDictionary(variable => variable.Key, variable => (string?)variable.Value);
        _environment["ASPNETCORE_URLS"] = Address.ToString();
        _environment["ORT_DISABLE_TELEMETRY"] = "1";
    }

    public Uri Address { get; }

    public int Pid => _process!.Id;

    public string Output => _process?.Output ?? "";

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAsync(HttpClient client, CancellationToken cancellationToken)
    {
        if (_process is not null) await _process.DisposeAsync();
        var process = _process = ChildProcess.Start("dotnet", [_program], _environment);
        await Eventually.TrueAsync(async () =>
        {
            Assert.False(process.HasExited, $"{_program} has ended:\n{Output}");
            try
            {
                using var response = await client.GetAsync(new Uri(Address, "/health"), cancellationToken);
                return response.IsSuccessStatusCode;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Too busy starting to answer.
                return false;
            }
        }, $"{_program} is ready", () => Output, StartLimit);
    }

    public async Task KillAsync()
    {
        _process!.Signal(ChildProcess.Kill);
        await _process.WaitForExitAsync(StartLimit);
    }

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;
}

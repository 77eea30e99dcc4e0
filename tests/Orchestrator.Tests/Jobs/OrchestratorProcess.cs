using System.Collections.Concurrent;
using System.Diagnostics;

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>The orchestrator in a process of its own, so that it can be killed.</summary>
internal sealed class OrchestratorProcess : IAsyncDisposable
{
    private const string ListeningOn = "Now listening on: ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private OrchestratorProcess(IEnumerable<string> settings)
    {
        _process = new()
        {
            StartInfo = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "Orchestrator.dll"), "--urls=http://127.0.0.1:0", .. settings])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += (_, line) => Read(line.Data, Output);
        _process.ErrorDataReceived += (_, line) => Read(line.Data, Errors);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public ConcurrentQueue<string> Output { get; } = new();

    public ConcurrentQueue<string> Errors { get; } = new();

    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromSeconds(20) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<OrchestratorProcess> StartAsync(IEnumerable<string> settings)
    {
        var process = new OrchestratorProcess(settings);
        process.Client.BaseAddress = new(await process._address.Task.WaitAsync(Patience, Cancellation));
        return process;
    }

    /// <summary>Starts one that cannot start.</summary>
    /// <returns>Its exit code and what it wrote to its standard error.</returns>
    public static async Task<(int ExitCode, IReadOnlyList<string> Errors)> FailAsync(IEnumerable<string> settings)
    {
        await using var process = new OrchestratorProcess(settings);
        await process._process.WaitForExitAsync(Cancellation).WaitAsync(Patience, Cancellation);
        return (process._process.ExitCode, [.. process.Errors]);
    }

    /// <summary><c>kill -9</c></summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(Cancellation).WaitAsync(Patience, Cancellation);
    }

    /// <summary><c>kill</c>: asks it to stop, and waits until it has.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        // The shell's own, for the program of that name is not on every machine.
        using var kill = Process.Start("/bin/sh", ["-c", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"kill -TERM {_process.Id}")]);
        await _process.WaitForExitAsync(Cancellation).WaitAsync(Patience, Cancellation);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private void Read(string? line, ConcurrentQueue<string> lines)
    {
        if (line is null) return;
        lines.Enqueue(line);
        var at = line.IndexOf(ListeningOn, StringComparison.Ordinal);
        if (at >= 0) _address.TrySetResult(line[(at + ListeningOn.Length)..]);
    }
}

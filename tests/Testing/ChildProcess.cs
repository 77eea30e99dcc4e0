using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace Lab.Testing;

/// <summary>What a program that has run to its end came to.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
public sealed record ProgramRun(int Code, string Output, string Error)
{
    /// <summary>The lines of <see cref="Error"/>.</summary>
    public IReadOnlyList<string> ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>A program that a test starts, whose output is read as it comes, and of which nothing stays behind.</summary>
public sealed partial class ChildProcess : IAsyncDisposable
{
    /// <summary>The longest that <see cref="RunAsync"/> waits where nothing else is said.</summary>
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromMinutes(3);

    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Process _process;
    private readonly string _command;

    private ChildProcess(ProcessStartInfo start, string command)
    {
        _command = command;
        _process = Process.Start(start)!;
        _process.StandardInput.Close();
        _process.OutputDataReceived += (_, line) => Remember(line.Data, _lines);
        _process.ErrorDataReceived += (_, line) =>
        {
            Remember(line.Data, _errors);
            Remember(line.Data, _lines);
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The signals of signal(7) that tests send.</summary>
    public const int Interrupt = 2, Kill = 9, Terminate = 15, Continue = 18, Stop = 19;

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Its exit code, once it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>What it has written so far, to both streams.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>What it has written so far to standard error.</summary>
    public string Error => string.Join('\n', _errors);

    /// <summary>The lines of <see cref="Output"/>.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>Starts a program, without standard input.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables beside the test's own; <c>null</c> removes one.</param>
    /// <param name="directory">Where it works; the test's own where it is not given.</param>
    public static ChildProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? directory = null) =>
        new(StartInfo(program, arguments, environment, directory), Command(program, arguments));

    /// <summary>Runs a program to its end, without standard input.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables beside the test's own; <c>null</c> removes one.</param>
    /// <param name="directory">Where it works; the test's own where it is not given.</param>
    /// <param name="limit">How long it may take; <see cref="DefaultLimit"/> where it is not given.</param>
    /// <param name="started">Hears its process id once it runs.</param>
    /// <remarks>The test fails where it takes longer; it is killed then, with all that it has started.</remarks>
    public static async Task<ProgramRun> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? directory = null, TimeSpan? limit = null, Action<int>? started = null)
    {
        var start = StartInfo(program, arguments, environment, directory);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(limit ?? DefaultLimit);
        using var process = Process.Start(start)!;
        started?.Invoke(process.Id);
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(source.Token);
            var error = process.StandardError.ReadToEndAsync(source.Token);
            await process.WaitForExitAsync(source.Token);
            return new(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"Still runs after {limit ?? DefaultLimit}: {Command(program, arguments)}");
            throw;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Sends a signal to any process.</summary>
    public static void Signal(int pid, int signal)
    {
        if (SendSignal(pid, signal) != 0) Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"signal {signal} to process {pid}: {Marshal.GetLastPInvokeErrorMessage()}"));
    }

    /// <summary>Sends it a signal.</summary>
    public void Signal(int signal) => Signal(Id, signal);

    /// <summary>Waits until it has ended.</summary>
    /// <param name="limit">How long; <see cref="Eventually.DefaultLimit"/> where it is not given.</param>
    public Task WaitForExitAsync(TimeSpan? limit = null) =>
        Eventually.DoneAsync(_process.WaitForExitAsync(TestContext.Current.CancellationToken), $"{_command} has ended", () => Output, limit);

    /// <summary>Kills it, with all that it has started.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    // A child inherits ignored signals: SIGINT is ignored wherever tests run in the background of a script or by nohup.
    private static ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment, string? directory)
    {
        var start = OperatingSystem.IsLinux()
            ? new ProcessStartInfo("env", ["--default-signal=INT,TERM", program, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.WorkingDirectory = directory ?? "";
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        return start;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);

    private static string Command(string program, IEnumerable<string> arguments) => string.Join(' ', arguments.Prepend(program));

    private static void Remember(string? line, ConcurrentQueue<string> lines)
    {
        if (line is not null) lines.Enqueue(line);
    }
}

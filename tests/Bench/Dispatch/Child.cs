using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Lab.Bench.Machine;

namespace Lab.Bench.Dispatch;

/// <summary>A process that one run of the benchmark starts and ends.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process _process;

    private Child(Process process) => _process = process;

    public static async Task<Child> StartAsync(string program, IEnumerable<string> arguments, int port, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var process = Process.Start(start)!;
        var errors = new List<string>();
        process.OutputDataReceived += (_, line) => { if (line.Data is not null) lock (errors) errors.Add(line.Data); };
        process.ErrorDataReceived += (_, line) => { if (line.Data is not null) lock (errors) errors.Add(line.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var child = new Child(process);
        var watch = Stopwatch.StartNew();
        while (!await ListensAsync(port))
        {
            if (process.HasExited || watch.Elapsed > TimeSpan.FromSeconds(30))
            {
                await child.DisposeAsync();
                throw new InvalidOperationException($"{program} does not listen on {port}: {string.Join('\n', errors)}");
            }

            await Task.Delay(10);
        }

        return child;
    }

    /// <summary>Runs a program to its end and gives what it printed.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}");
    }

    /// <summary>The process's id.</summary>
    public int Id => _process.Id;

    /// <summary>Processor time that it and its children have used.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            var time = _process.TotalProcessorTime;
            foreach (var child in Children(_process.Id)) time += child;
            return time;
        }
    }

    /// <summary>Keeps it from running, as if its machine stood still, until <see cref="Continue"/>.</summary>
    public void Pause() => Signal.Send(Id, Signal.Stop);

    /// <summary>Lets it run on.</summary>
    public void Continue() => Signal.Send(Id, Signal.Continue);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    // nginx computes in children of the process that was started.
    private static IEnumerable<TimeSpan> Children(int pid)
    {
        foreach (var id in File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            using var child = Process.GetProcessById(int.Parse(id, CultureInfo.InvariantCulture));
            yield return child.TotalProcessorTime;
        }
    }

    private static async Task<bool> ListensAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

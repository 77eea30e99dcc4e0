using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Lab.Bench.Faults;
using Lab.Testing;

namespace Lab.Bench.Tests.Faults;

/// <summary>A real worker in a process of its own.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private WorkerProcess(Process process, WorkerPlace place) => (Process, Place) = (process, place);

    public Process Process { get; }

    public WorkerPlace Place { get; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Place.Port}");

    /// <summary>The state letter of proc(5): <c>T</c> is stopped.</summary>
    public string State => File.ReadLines($"/proc/{Process.Id}/status").Single(line => line.StartsWith("State:", StringComparison.Ordinal)).Split('\t')[1][..1];

    public static async Task<WorkerProcess> StartAsync(string name, CancellationToken cancellation)
    {
        var port = FreePorts.Take();
        var program = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Worker").Value!;
        var start = new ProcessStartInfo("dotnet", [program, string.Create(CultureInfo.InvariantCulture, $"--urls=http://127.0.0.1:{port}")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ORT_DISABLE_TELEMETRY"] = "1";
        var worker = new WorkerProcess(Process.Start(start)!, new(name, "127.0.0.1", port));
        worker.Process.OutputDataReceived += (_, _) => { };
        worker.Process.ErrorDataReceived += (_, _) => { };
        worker.Process.BeginOutputReadLine();
        worker.Process.BeginErrorReadLine();
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(TimeSpan.FromSeconds(60));
            using var client = new HttpClient();
            while (!await IsReadyAsync(client, worker.Address, limit.Token)) await Task.Delay(50, limit.Token);
            return worker;
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited) Process.Kill();
        await Process.WaitForExitAsync();
        Process.Dispose();
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, string address, CancellationToken cancellation)
    {
        try
        {
            using var response = await client.GetAsync(new Uri($"{address}/health"), cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}

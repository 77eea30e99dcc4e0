using System.Reflection;
using Lab.Bench.Faults;
using Lab.Testing;

namespace Lab.Bench.Tests.Faults;

/// <summary>A real worker in a process of its own.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private readonly ServiceProcess _process;

    private WorkerProcess(ServiceProcess process, string name) => (_process, Place) = (process, new(name, "127.0.0.1", process.Client.BaseAddress!.Port));

    public WorkerPlace Place { get; }

    public Uri Address => _process.Client.BaseAddress!;

    /// <summary>The state letter of proc(5): <c>T</c> is stopped.</summary>
    public string State => File.ReadLines($"/proc/{_process.Id}/status").Single(line => line.StartsWith("State:", StringComparison.Ordinal)).Split('\t')[1][..1];

    public static async Task<WorkerProcess> StartAsync(string name)
    {
        var program = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Worker").Value!;
        var process = await ServiceProcess.StartAsync(program, []);
        try
        {
            await process.UntilHealthyAsync();
            return new(process, name);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public Task WaitForExitAsync() => _process.WaitForExitAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

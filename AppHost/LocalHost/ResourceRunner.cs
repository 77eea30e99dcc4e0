using System.ComponentModel;
using Aspire.Hosting.ApplicationModel;
using Lab.AppHost.LocalHost.Processes;

namespace Lab.AppHost.LocalHost;

/// <summary>Keeps one resource running: waits for its dependencies, starts it, watches it, starts it again.</summary>
internal sealed class ResourceRunner(
    ProjectResource resource, bool development, Output output, WatchdogLine watchdog, Timing timing, TimeProvider time)
{
    private const int Remembered = 10;

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<string> _lastLines = [];
    private volatile bool _isReady;

    public ProjectResource Resource => resource;

    /// <summary>Completes when the resource has been ready for the first time.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Runs the resource until told to stop; ends when its processes have.</summary>
    public async Task RunAsync(IReadOnlyList<ResourceRunner> dependencies, CancellationToken stop, CancellationToken hurry)
    {
        try
        {
            await WaitAsync(dependencies, stop);
            for (var crashes = 0; !stop.IsCancellationRequested;)
            {
                var begun = time.GetTimestamp();
                var verdict = await RunOnceAsync(stop, hurry);
                await Task.Delay(timing.CrashDoubt, time, stop);
                var lived = time.GetElapsedTime(begun) - timing.CrashDoubt;
                crashes = lived < timing.Stable ? crashes + 1 : 1;
                var wait = timing.Backoff(crashes);
                output.Complain(
                    $"{resource.Name} {verdict} after {lived.TotalSeconds:0.0} s{(crashes > 1 ? $", {crashes} times in a row now" : "")}; next start in {wait.TotalSeconds:0.#} s.",
                    crashes % 5 == 3 ? LastLines() : null);
                await Task.Delay(wait, time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop while nothing of it ran.
        }
    }

    private async Task WaitAsync(IReadOnlyList<ResourceRunner> dependencies, CancellationToken stop)
    {
        var all = Task.WhenAll(dependencies.Select(dependency => dependency.Ready));
        while (await Task.WhenAny(all, Task.Delay(timing.Patience, time, stop)) != all)
        {
            stop.ThrowIfCancellationRequested();
            var missing = dependencies.Where(dependency => !dependency.Ready.IsCompleted).Select(dependency => dependency.Resource.Name);
            output.Complain($"{resource.Name} is not started yet: it waits for {string.Join(", ", missing)}.");
        }
    }

    private async Task<string> RunOnceAsync(CancellationToken stop, CancellationToken hurry)
    {
        _isReady = false;
        ServiceProcess process;
        try
        {
            process = new ServiceProcess(ServiceEnvironment.StartInfo(resource, development, Guid.NewGuid().ToString("n")), line => Take(line, stop));
        }
        catch (Win32Exception e)
        {
            return $"could not be started ({e.Message})";
        }

        using (process)
        {
            watchdog.Watch(process.Identity);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var probing = ProbeAsync(over.Token);
            var stopped = new TaskCompletionSource();
            await using (stop.Register(stopped.SetResult))
                await Task.WhenAny(process.Ended, stopped.Task);
            await over.CancelAsync();
            await probing;
            var killed = await Termination.EndAsync([process.Identity], timing.Grace, time, hurry);
            if (killed > 0 && stop.IsCancellationRequested)
                output.Complain($"{resource.Name} did not stop by itself and was killed.");
            watchdog.Forget(process.Identity);
            return await process.VerdictAsync(time);
        }
    }

    private async Task ProbeAsync(CancellationToken over)
    {
        var begun = time.GetTimestamp();
        var complaints = 0;
        try
        {
            while (await Readiness.LackAsync(resource, timing.ProbeTimeout, over) is { } lack)
            {
                var waited = time.GetElapsedTime(begun);
                if (waited >= timing.Patience * (complaints + 1))
                {
                    complaints++;
                    output.Complain($"{resource.Name} is not ready after {waited.TotalSeconds:0} s: {lack}. Its last lines:", LastLines());
                }

                await Task.Delay(timing.NextProbe(waited), time, over);
            }

            over.ThrowIfCancellationRequested();
            output.Say($"{resource.Name} is ready{(Ready.IsCompleted ? " again" : "")}{(resource.Endpoint is { } endpoint ? $" at {endpoint.Url}" : "")} ({time.GetElapsedTime(begun).TotalSeconds:0.0} s)");
            _isReady = true;
            _ready.TrySetResult();
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // It ended, or is to end, before it was ready.
        }
    }

    private void Take(string line, CancellationToken stop)
    {
        // A service that is stopped in the middle of its start fails at length, and to nobody's surprise.
        if (stop.IsCancellationRequested && !_isReady)
            return;
        output.From(resource.Name, line);
        lock (_lastLines)
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > Remembered)
                _lastLines.Dequeue();
        }
    }

    private List<string> LastLines()
    {
        lock (_lastLines)
            return _lastLines.Count > 0 ? [.. _lastLines] : ["(it has written nothing)"];
    }
}

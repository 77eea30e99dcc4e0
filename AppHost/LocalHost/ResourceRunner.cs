using System.ComponentModel;
using Aspire.Hosting.ApplicationModel;
using Lab.AppHost.LocalHost.Processes;

namespace Lab.AppHost.LocalHost;

/// <summary>Keeps one resource as its user wants it: waits for its dependencies, starts it, watches it, starts it again, stops it.</summary>
internal sealed class ResourceRunner
{
    private const int RememberedLines = 2000;
    private const int LastLinesShown = 10;
    private const int LongestLine = 4000;

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Ring<ConsoleLine> _lines = new(RememberedLines);
    private readonly Lock _gate = new();
    private readonly RunnerContext _context;
    private readonly Timing _timing;
    private readonly TimeProvider _time;

    // Completed while the resource is wanted, with the token of its next stop.
    private TaskCompletionSource<CancellationTokenSource> _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ResourceStatus _status;
    private volatile bool _isReady;
    private int _starts;

    public ResourceRunner(ProjectResource resource, RunnerContext context)
    {
        (Resource, _context, _timing, _time) = (resource, context, context.Timing, context.Time);
        _status = new(ResourceState.NotStarted, Lack: null, ProcessId: null, _time.GetUtcNow(), Restarts: 0);
        if (!resource.IsExplicitStart)
            Start();
    }

    public ProjectResource Resource { get; }

    /// <summary>Completes when the resource has been ready for the first time.</summary>
    public Task Ready => _ready.Task;

    /// <summary>What it is at now.</summary>
    public ResourceStatus Status => _status;

    /// <summary>What it has written lately.</summary>
    public Ring<ConsoleLine> Lines => _lines;

    /// <summary>Wants it to run; nothing happens if it is wanted already.</summary>
    public void Start()
    {
        lock (_gate)
            if (!_wanted.Task.IsCompleted)
                _wanted.SetResult(new CancellationTokenSource());
    }

    /// <summary>Wants it not to run; it is ended as at the end of the AppHost.</summary>
    public void Stop()
    {
        CancellationTokenSource? halt = null;
        lock (_gate)
        {
            if (!_wanted.Task.IsCompleted)
                return;
            halt = _wanted.Task.Result;
            _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        halt.Cancel();
    }

    /// <summary>Ends it and starts it again.</summary>
    public void Restart()
    {
        Stop();
        Start();
    }

    /// <summary>Runs the resource until told to stop; ends when its processes have.</summary>
    public async Task RunAsync(IReadOnlyList<ResourceRunner> dependencies, CancellationToken stop, CancellationToken hurry)
    {
        try
        {
            for (var crashes = 0; !stop.IsCancellationRequested;)
            {
                Task<CancellationTokenSource> wanted;
                lock (_gate)
                    wanted = _wanted.Task;
                var halt = await wanted.WaitAsync(stop);
                using var over = CancellationTokenSource.CreateLinkedTokenSource(stop, halt.Token);
                try
                {
                    crashes = await RunWantedAsync(dependencies, crashes, over.Token, hurry);
                }
                catch (OperationCanceledException) when (over.IsCancellationRequested)
                {
                    crashes = 0;
                    Become(ResourceState.Stopped);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop while nothing of it ran.
        }
    }

    private async Task<int> RunWantedAsync(IReadOnlyList<ResourceRunner> dependencies, int crashes, CancellationToken over, CancellationToken hurry)
    {
        await WaitAsync(dependencies, over);
        var begun = _time.GetTimestamp();
        var (verdict, code) = await RunOnceAsync(over, hurry);
        await Task.Delay(_timing.CrashDoubt, _time, over);
        var lived = _time.GetElapsedTime(begun) - _timing.CrashDoubt;
        if (Resource.IsExplicitStart)
        {
            // Started by hand, for a piece of work: its end is the user's to judge.
            Stop();
            Become(code == 0 ? ResourceState.Finished : ResourceState.Failed, code == 0 ? null : verdict);
            Say($"{Resource.Name} {verdict} after {lived.TotalSeconds:0.0} s.");
            return 0;
        }

        crashes = lived < _timing.Stable ? crashes + 1 : 1;
        var wait = _timing.Backoff(crashes);
        Become(ResourceState.Failed, verdict);
        Complain(
            $"{Resource.Name} {verdict} after {lived.TotalSeconds:0.0} s{(crashes > 1 ? $", {crashes} times in a row now" : "")}; next start in {wait.TotalSeconds:0.#} s.",
            crashes % 5 == 3 ? LastLines() : null);
        await Task.Delay(wait, _time, over);
        return crashes;
    }

    private async Task WaitAsync(IReadOnlyList<ResourceRunner> dependencies, CancellationToken over)
    {
        var all = Task.WhenAll(dependencies.Select(dependency => dependency.Ready));
        if (!all.IsCompleted)
            Become(ResourceState.Waiting);
        while (await Task.WhenAny(all, Task.Delay(_timing.Patience, _time, over)) != all)
        {
            over.ThrowIfCancellationRequested();
            var missing = dependencies.Where(dependency => !dependency.Ready.IsCompleted).Select(dependency => dependency.Resource.Name);
            Complain($"{Resource.Name} is not started yet: it waits for {string.Join(", ", missing)}.");
        }
    }

    private async Task<(string Verdict, int? Code)> RunOnceAsync(CancellationToken over, CancellationToken hurry)
    {
        _isReady = false;
        ServiceProcess process;
        try
        {
            process = new ServiceProcess(
                ServiceEnvironment.StartInfo(Resource, _context.IsDevelopment, Guid.NewGuid().ToString("n"), _context.Telemetry), line => Take(line, over));
        }
        catch (Win32Exception e)
        {
            return ($"could not be started ({e.Message})", null);
        }

        using (process)
        {
            _context.Watchdog.Watch(process.Identity);
            _status = new(ResourceState.Starting, Lack: null, process.Identity.Id, _time.GetUtcNow(), _starts++);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(over);
            var probing = ProbeAsync(ended.Token);
            var stopped = new TaskCompletionSource();
            await using (over.Register(stopped.SetResult))
                await Task.WhenAny(process.Ended, stopped.Task);
            await ended.CancelAsync();
            await probing;
            _status = _status with { State = ResourceState.Stopping, Lack = null };
            var killed = await Termination.EndAsync([process.Identity], _timing.Grace, _time, hurry);
            if (killed > 0 && over.IsCancellationRequested)
                Complain($"{Resource.Name} did not stop by itself and was killed.");
            _context.Watchdog.Forget(process.Identity);
            return await process.VerdictAsync(_time);
        }
    }

    private async Task ProbeAsync(CancellationToken ended)
    {
        var begun = _time.GetTimestamp();
        var complaints = 0;
        try
        {
            while (await Readiness.LackAsync(Resource, _timing.ProbeTimeout, ended) is { } lack)
            {
                _status = _status with { Lack = lack };
                var waited = _time.GetElapsedTime(begun);
                if (waited >= _timing.Patience * (complaints + 1))
                {
                    complaints++;
                    Complain($"{Resource.Name} is not ready after {waited.TotalSeconds:0} s: {lack}. Its last lines:", LastLines());
                }

                await Task.Delay(_timing.NextProbe(waited), _time, ended);
            }

            ended.ThrowIfCancellationRequested();
            Say($"{Resource.Name} is ready{(Ready.IsCompleted ? " again" : "")}{(Resource.Endpoint is { } endpoint ? $" at {endpoint.Url}" : "")} ({_time.GetElapsedTime(begun).TotalSeconds:0.0} s)");
            _isReady = true;
            _status = _status with { State = ResourceState.Running, Lack = null };
            _ready.TrySetResult();
            // From here on its health is only shown.
            while (Resource.HealthPath is not null)
            {
                await Task.Delay(_timing.LongestProbeInterval, _time, ended);
                _status = _status with { Lack = await Readiness.LackAsync(Resource, _timing.ProbeTimeout, ended) };
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // It ended, or is to end.
        }
    }

    private void Become(ResourceState state, string? lack = null) => _status = _status with { State = state, Lack = lack, ProcessId = null, Since = _time.GetUtcNow() };

    private void Say(string line)
    {
        Remember(line, isAboutIt: true);
        _context.Output.Say(line);
    }

    private void Complain(string line, IEnumerable<string>? evidence = null)
    {
        Remember(line, isAboutIt: true);
        _context.Output.Complain(line, evidence);
    }

    private void Take(string line, CancellationToken over)
    {
        // A service that is stopped in the middle of its start fails at length, and to nobody's surprise.
        if (over.IsCancellationRequested && !_isReady)
            return;
        _context.Output.From(Resource.Name, line);
        Remember(line, isAboutIt: false);
    }

    private void Remember(string line, bool isAboutIt)
        => _lines.Add(new(_time.GetUtcNow(), line.Length > LongestLine ? line[..LongestLine] + " …" : line, isAboutIt));

    private List<string> LastLines()
        => _lines.ToArray().Where(line => !line.IsAboutIt).Select(line => line.Text).TakeLast(LastLinesShown).ToList() is { Count: > 0 } lines
            ? lines
            : ["(it has written nothing)"];
}

using Lab.Bench.Cluster;
using Lab.Bench.Load;
using Lab.Bench.Machine;
using Lab.Bench.Recording;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Bench.Running;

/// <summary>Runs loads against one orchestrator, over the same connections.</summary>
internal sealed class RunSession : IDisposable
{
    private const int LeastWarmup = 20;
    private const int MostWarmup = 200;
    private const int WarmupAtOnce = 64;

    private readonly Target _target;
    private readonly TimeProvider _time;
    private readonly LabClient _client;
    private string? _sample;
    private bool _isWarm;

    /// <param name="target">Whom to ask.</param>
    /// <param name="time">The clock.</param>
    public RunSession(Target target, TimeProvider time)
    {
        _target = target;
        _time = time;
        _client = new(target, time);
        Cluster = new(target, time);
    }

    /// <summary>The orchestrator.</summary>
    public ClusterClient Cluster { get; }

    /// <summary>Runs a load. A user who ends it early gets what was measured until then.</summary>
    /// <param name="plan">When to send.</param>
    /// <param name="texts">What to send.</param>
    /// <param name="warmup">How many requests to send beforehand, the first time; <c>null</c> for a fair number.</param>
    /// <param name="view">Shows the run.</param>
    /// <param name="interrupted">The user wants no more.</param>
    /// <param name="beside">What else happens during the run, such as harm to workers; ends when its token is cancelled, with the load.</param>
    /// <exception cref="BenchException">No orchestrator answers, or it has no worker.</exception>
    public async Task<RunResult> RunAsync(
        LoadPlan plan, TextSource texts, int? warmup, IRunView view, CancellationToken interrupted, Func<long, CancellationToken, Task>? beside = null)
    {
        var workers = await Cluster.GetWorkersAsync(interrupted);
        var alive = workers.Values.Count(IsAlive);
        if (alive == 0)
            throw new BenchException(ExitCode.CannotReach, $"The orchestrator at {_target.Orchestrator} has no worker at work ({workers.Count} known): wait until they are ready, or look at {new Uri(_target.Orchestrator, "/workers")}.");
        var model = await Cluster.GetModelAsync(interrupted);
        _client.Problem = model?.Problem ?? ProblemType.SingleLabel;
        var warm = await WarmUpAsync(plan, texts, warmup, interrupted);
        var before = await Cluster.CountAsync(interrupted);
        var started = _time.GetUtcNow();
        var meter = new ProcessorMeter(_time);
        var recorder = new Recorder(_time);
        using var ended = new CancellationTokenSource();
        var others = beside?.Invoke(_time.GetTimestamp(), ended.Token) ?? Task.CompletedTask;
        var shown = view.ShowAsync(plan, recorder.Look, _time, ended.Token);
        try
        {
            await new LoadGenerator(_client.AskAsync, texts, recorder, _time).RunAsync(plan, interrupted);
        }
        finally
        {
            await ended.CancelAsync();
            await shown;
            await others;
        }

        var (own, machine) = meter.Read();
        var recording = recorder.Finish();
        // An interrupted user waits for no more looks than one.
        var after = before is null ? null : await Cluster.CountAsync(before.Answered + recording.Answered + recording.Wrong, CancellationToken.None);
        return new()
        {
            Orchestrator = _target.Orchestrator,
            Started = started,
            Plan = plan,
            Texts = texts.Description,
            Warmup = warm,
            Model = model is null ? null : $"{model.ModelId} ({model.ModelDtype})",
            WorkersAlive = alive,
            WorkersKnown = workers.Count,
            Recording = recording,
            OwnCount = after is null ? null : after - before!,
            GeneratorShare = own,
            MachineShare = machine,
            Machine = MachineDescription.OfThis(),
            SampleAnswer = _sample,
            Interrupted = interrupted.IsCancellationRequested,
        };
    }

    /// <summary>Whether a worker gets work.</summary>
    public static bool IsAlive(WorkerStatus worker) => worker.Status is "free" or "busy";

    public void Dispose()
    {
        _client.Dispose();
        Cluster.Dispose();
    }

    // What is slow only once (connections, compilation of the generator's own code) is not what is to be measured.
    private async Task<int> WarmUpAsync(LoadPlan plan, TextSource texts, int? wished, CancellationToken cancellation)
    {
        var atOnce = plan switch { RoundsPlan rounds => rounds.Parallel, ClosedPlan closed => closed.Clients, _ => WarmupAtOnce };
        var count = wished ?? (_isWarm ? 0 : Math.Clamp(4 * atOnce, LeastWarmup, MostWarmup));
        _isWarm = true;
        _sample ??= await Cluster.AskAsync(texts.Next(0), cancellation);
        if (count == 0) return 0;
        atOnce = Math.Clamp(atOnce, 1, Math.Min(count, WarmupAtOnce));
        var roundsOfWarmup = (count + atOnce - 1) / atOnce;
        await new LoadGenerator(_client.AskAsync, texts, new NobodyRecords(), _time).RunAsync(new RoundsPlan(atOnce, roundsOfWarmup), cancellation);
        return (atOnce * roundsOfWarmup) + 1;
    }

    private sealed class NobodyRecords : IExchangeRecorder
    {
        public void Sent()
        {
        }

        public void Ended(in Exchange exchange)
        {
        }
    }
}

using System.Diagnostics.Metrics;
using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Dispatch;

/// <summary>A dispatcher's state with a clock of the test's own, which remembers what it would have sent.</summary>
internal sealed class DispatchBench : IDispatchEffects
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    /// <summary>By what other orchestrators know this one.</summary>
    public const string Id = "self";

    public DispatchBench(int workers, Action<OrchestratorOptions>? configure = null, bool healthy = true)
    {
        var options = new OrchestratorOptions { MaxBatch = 1 };
        configure?.Invoke(options);
        Options = options;
        State = new(options, Time, new Random(1), this, new(_services.GetRequiredService<IMeterFactory>()), NullLogger.Instance, id: Id);
        SetWorkers(workers);
        if (healthy) AnswerProbes(failure: null);
    }

    public FakeTimeProvider Time { get; } = new();

    public OrchestratorOptions Options { get; }

    public DispatchState State { get; }

    /// <summary>Every call in order of dispatch.</summary>
    public List<DispatchCall> Sent { get; } = [];

    public List<WorkerNode> Probes { get; } = [];

    /// <summary>Workers that have been asked who shares them, and have not answered.</summary>
    public List<WorkerNode> Questions { get; } = [];

    void IDispatchEffects.Send(DispatchCall call) => Sent.Add(call);

    void IDispatchEffects.Ended(QueueEntry entry) => entry.Publish();

    void IDispatchEffects.Probe(WorkerNode worker) => Probes.Add(worker);

    void IDispatchEffects.AskPresence(WorkerNode worker) => Questions.Add(worker);

    public void SetWorkers(int count) => State.SetWorkers(Enumerable.Range(1, count)
        .ToDictionary(i => $"worker-{i}", i => new Uri($"http://10.0.0.{i}:8000")));

    public QueueEntry Submit(string text = "text", TimeSpan? timeout = null)
    {
        var entry = new QueueEntry(Guid.CreateVersion7(), text, timeout ?? Options.Deadline);
        State.Submit(entry);
        return entry;
    }

    public void AnswerProbes(string? failure)
    {
        foreach (var probe in Probes.ToList())
        {
            Probes.Remove(probe);
            State.Probed(probe, probe.Address, failure);
        }
    }

    public void Answer(DispatchCall call) =>
        State.Reply(call, new WorkerReply.Answered([.. call.Entries.Select(e => new TextReply(new(e.Text, "POSITIVE", [0.25f, 0.75f], 1.5, false), null))], 1.5));

    public void Fail(DispatchCall call) => State.Reply(call, new WorkerReply.Failed("test"));

    /// <summary>Lets time pass, with a tick whenever the state asks for one.</summary>
    public void Advance(TimeSpan span)
    {
        var end = Time.GetTimestamp() + (long)(span.TotalSeconds * Time.TimestampFrequency);
        while (State.NextDue <= end)
        {
            var wait = Time.GetElapsedTime(Time.GetTimestamp(), State.NextDue);
            Time.Advance(wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1));
            State.Tick();
        }

        var rest = Time.GetElapsedTime(Time.GetTimestamp(), end);
        if (rest > TimeSpan.Zero) Time.Advance(rest);
    }

    public static Outcome Ended(QueueEntry entry)
    {
        Assert.True(entry.Completion.IsCompletedSuccessfully, "the entry has not ended");
        return entry.Completion.Result;
    }
}

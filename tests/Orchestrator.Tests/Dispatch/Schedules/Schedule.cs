using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Dispatch.Schedules;

/// <summary>One thing that happens to the dispatcher; the numbers choose whom it happens to.</summary>
internal readonly record struct Step(StepKind Kind, int Who, int Amount);

internal enum StepKind
{
    Submit, SubmitBatch, SubmitJob, Answer, AnswerAgain, Busy, Fail, HangUp, PassTime, PassLongTime, Drain, Resume, ProbeWell, ProbeIll, SetWorkers,
}

/// <summary>Puts a dispatcher through a list of steps and checks it against <see cref="ScheduleModel"/> after each.</summary>
internal sealed class Schedule : IDispatchEffects
{
    /// <summary>Ticks are no closer together than that, and an entry may live that much longer.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(1);
    private readonly FakeTimeProvider _time = new();
    private readonly List<(WorkerNode Worker, ModelWorker Model)> _probes = [];
    private readonly List<DispatchCall> _sent = [];
    private readonly ScheduleModel _model;
    private readonly ISubject _subject;

    private Schedule(Func<OrchestratorOptions, FakeTimeProvider, IDispatchEffects, ISubject> create)
    {
        var options = new OrchestratorOptions
        {
            QueueCapacity = 12,
            MaxBatch = 3,
            DispatchTimeout = TimeSpan.FromSeconds(3),
            QuarantineMin = TimeSpan.FromMilliseconds(100),
            QuarantineMax = TimeSpan.FromSeconds(1),
        };
        _model = new(options, _time);
        _subject = create(options, _time, this);
    }

    public static void Run(IReadOnlyList<Step> steps, Func<OrchestratorOptions, FakeTimeProvider, IDispatchEffects, ISubject> create)
    {
        var schedule = new Schedule(create);
        schedule.SetWorkers(4);
        schedule.ProbeAll();
        foreach (var step in steps)
        {
            schedule.Do(step);
            schedule._model.CheckSettled(schedule.IsOverdue);
        }

        schedule._subject.Stop();
        Assert.All(schedule._model.Entries, entry => Assert.True(entry.Entry.Completion.IsCompleted));
    }

    void IDispatchEffects.Send(DispatchCall call)
    {
        _sent.Add(call);
        _model.Sent(call);
    }

    void IDispatchEffects.Ended(QueueEntry entry) => entry.Publish();

    void IDispatchEffects.Probe(WorkerNode worker) =>
        _probes.Add((worker, _model.Find(worker.Name) ?? throw new RuleBrokenException("a probe of a worker that is gone")));

    // Nobody answers: it is alone.
    void IDispatchEffects.AskPresence(WorkerNode worker)
    {
    }

    private void Do(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Submit: Submit(1, step.Amount, accepted: false); break;
            case StepKind.SubmitBatch: Submit(2 + (step.Who % 4), step.Amount, accepted: false); break;
            case StepKind.SubmitJob: Submit(1, step.Amount, accepted: true); break;
            case StepKind.Answer: OnCall(step, _model.Answering, Answered); break;
            case StepKind.AnswerAgain when _sent.Count > 0:
                // What a worker says after it has been given up, or twice, changes nothing.
                var late = _sent[step.Who % _sent.Count];
                if (!_model.Calls.Contains(late)) _subject.Reply(late, step.Amount % 2 == 0 ? Answered(late) : new WorkerReply.Failed("late"));
                break;
            case StepKind.Busy: OnCall(step, _model.Busying, _ => new WorkerReply.Busy()); break;
            case StepKind.Fail: OnCall(step, _model.Failing, _ => new WorkerReply.Failed("test")); break;
            case StepKind.HangUp when _model.Entries.Count > 0:
                var entry = _model.Entries[^(1 + (step.Who % Math.Min(_model.Entries.Count, 15)))];
                ScheduleModel.HangingUp(entry);
                _subject.HangUp(entry.Entry);
                break;
            case StepKind.PassTime: Pass(TimeSpan.FromMilliseconds(step.Amount)); break;
            case StepKind.PassLongTime: Pass(TimeSpan.FromMilliseconds(step.Amount * 30)); break;
            case StepKind.Drain or StepKind.Resume:
                var name = $"worker-{1 + (step.Who % 5)}";
                _model.SettingDraining(name, step.Kind is StepKind.Drain);
                _subject.SetDraining(name, step.Kind is StepKind.Drain);
                break;
            case StepKind.ProbeWell or StepKind.ProbeIll when _probes.Count > 0:
                Probe(_probes[step.Who % _probes.Count], step.Kind is StepKind.ProbeWell);
                break;
            case StepKind.SetWorkers: SetWorkers(1 + (step.Who % 5)); break;
        }
    }

    private void Submit(int count, int amount, bool accepted)
    {
        var timeout = accepted ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(20 * (1 + amount));
        var entries = Enumerable.Range(0, count).Select(_ => new QueueEntry(Guid.CreateVersion7(), "text", timeout) { Accepted = accepted }).ToList();
        _model.Submitting(entries);
        _subject.Submit(entries);
    }

    private void OnCall(Step step, Action<DispatchCall> tell, Func<DispatchCall, WorkerReply> reply)
    {
        if (_model.Calls.Count == 0) return;
        var call = _model.Calls[step.Who % _model.Calls.Count];
        tell(call);
        _subject.Reply(call, reply(call));
    }

    private static WorkerReply.Answered Answered(DispatchCall call) =>
        new([.. call.Entries.Select(entry => new TextReply(new(entry.Text, "A", [1f], 1, false), null))], 1);

    private void Pass(TimeSpan span)
    {
        var end = _time.GetUtcNow() + span;
        for (var round = 0; _time.GetUtcNow() < end; round++)
        {
            if (round > 40_000) throw new RuleBrokenException("the next due moment never comes");
            var due = _subject.NextDue == long.MaxValue ? span : _time.GetElapsedTime(_time.GetTimestamp(), _subject.NextDue);
            var step = due < Slack ? Slack : due;
            _time.Advance(step < end - _time.GetUtcNow() ? step : end - _time.GetUtcNow());
            if (_subject.NextDue <= _time.GetTimestamp()) _subject.Tick();
        }
    }

    private bool? IsOverdue(QueueEntry entry)
    {
        if (entry.DeadlineAt == long.MaxValue) return false;
        var late = _time.GetElapsedTime(entry.DeadlineAt);
        return late < TimeSpan.Zero ? false : late > 2 * Slack ? true : null;
    }

    private void Probe((WorkerNode Worker, ModelWorker Model) probe, bool healthy)
    {
        _probes.Remove(probe);
        ScheduleModel.Probing(probe.Model, healthy);
        _subject.Probed(probe.Worker, healthy ? null : "ill");
    }

    private void ProbeAll()
    {
        foreach (var probe in _probes.ToList()) Probe(probe, healthy: true);
    }

    private void SetWorkers(int count)
    {
        var names = Enumerable.Range(1, count).Select(i => $"worker-{i}").ToList();
        _model.SettingWorkers(names);
        _subject.SetWorkers(names.ToDictionary(name => name, name => new Uri($"http://{name}:8000")));
    }
}

using System.Diagnostics.Metrics;
using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Jobs;

/// <summary>The instruments of jobs, in the dispatcher's meter.</summary>
internal sealed class JobMetrics
{
    private readonly Counter<long> _jobs;

    public JobMetrics(IMeterFactory meters, IJobStore store)
    {
        var meter = meters.Create(DispatchMetrics.MeterName);
        _jobs = meter.CreateCounter<long>("lab.jobs", "{job}", "Jobs by the status they came into at this orchestrator.");
        meter.CreateObservableGauge("lab.jobs.unfinished", () => store.Sum.Unfinished, "{job}", "Jobs queued or running, as last counted.");
        meter.CreateObservableGauge("lab.jobs.kept", () => store.Sum.Bytes, "By", "What the jobs kept take up, finished ones too, as last counted.");
    }

    public void Became(JobStatus status) => _jobs.Add(1, new KeyValuePair<string, object?>("status", status.Name()));
}

using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>One of the last requests. The same object as long as it is kept.</summary>
public sealed class RequestView
{
    internal RequestView(EndedRequest request, DateTimeOffset endedAt)
    {
        Request = request;
        EndedAt = endedAt;
    }

    /// <summary>The time of day at which it ended, UTC.</summary>
    public DateTimeOffset EndedAt { get; }

    internal EndedRequest Request { get; }

    /// <summary>How it ended, in a word or two.</summary>
    public string Word => Request.Kind switch
    {
        OutcomeKind.Answered => "answered",
        OutcomeKind.QueueFull => "queue full",
        OutcomeKind.NoWorker => "no worker",
        OutcomeKind.DeadlinePassed => "too late",
        OutcomeKind.Failed => "failed",
        OutcomeKind.Rejected => "rejected",
        OutcomeKind.Canceled => "hung up",
        _ => "stopped",
    };
}

namespace Lab.ServiceDefaults.Contracts;

/// <summary>What a worker answers to an orchestrator that shows itself (<c>GET /presence?orchestrator=ID</c>).</summary>
/// <param name="Orchestrators">Whom it has heard of in the last second and a half, the asker among them; at most <see cref="MaxOrchestrators"/>.</param>
/// <param name="BusyMs">In about how many milliseconds it will be free; <c>null</c>, and left out, if it computes nothing.</param>
/// <param name="IdleMs">For how many milliseconds it has computed nothing; <c>null</c>, and left out, while it computes.</param>
/// <param name="Leaving">Why and when it will be gone; <c>null</c>, and left out, as long as it stays.</param>
public sealed record Presence(
    IReadOnlyList<string> Orchestrators,
    double? BusyMs,
    double? IdleMs,
    Leaving? Leaving)
{
    /// <summary>The path at which a worker answers.</summary>
    public const string Path = "/presence";

    /// <summary>The query parameter in which an orchestrator says who it is.</summary>
    public const string Parameter = "orchestrator";

    /// <summary>So many orchestrators a worker remembers at once, and so many names are read of what it answers.</summary>
    public const int MaxOrchestrators = 16;
}

/// <summary>A worker that will be gone: it finishes its work and is to get no more.</summary>
/// <param name="Reason">Why, in a few words.</param>
/// <param name="At">When it will be gone, in UTC.</param>
public sealed record Leaving(string Reason, DateTime At);

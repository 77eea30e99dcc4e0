namespace Lab.Bench.Load;

/// <summary>When requests are sent.</summary>
internal abstract record LoadPlan
{
    /// <summary>In the words of the report.</summary>
    public abstract string Describe();
}

/// <summary>The lab's form: so many requests at the same moment, and the next round when all of them have ended.</summary>
/// <param name="Parallel">Requests in a round, at least 1.</param>
/// <param name="Rounds">At least 1.</param>
internal sealed record RoundsPlan(int Parallel, int Rounds) : LoadPlan
{
    public override string Describe() => $"{Rounds} {(Rounds == 1 ? "round" : "rounds")} of {Parallel} simultaneous {(Parallel == 1 ? "request" : "requests")}";
}

/// <summary>
/// Closed loop: so many clients, each of which sends its next request when it has the answer to the last one. A slow
/// cluster is therefore asked less often, and hides some of its slowness.
/// </summary>
/// <param name="Clients">At least 1.</param>
/// <param name="Duration">How long requests are sent.</param>
internal sealed record ClosedPlan(int Clients, TimeSpan Duration) : LoadPlan
{
    public override string Describe() => $"closed loop, {Clients} {(Clients == 1 ? "client" : "clients")} for {Durations.Text(Duration)}";
}

/// <summary>
/// Open loop: requests leave on a schedule, whatever becomes of those before them, and latency counts from the moment at
/// which the schedule wanted a request to leave. What a stalled cluster does to those who would have come meanwhile is
/// therefore in the numbers ("coordinated omission": Gil Tene, How NOT to Measure Latency).
/// </summary>
/// <param name="Rate">Requests per second, greater than 0.</param>
/// <param name="Duration">How long requests are sent.</param>
/// <param name="MaxOutstanding">More than these do not wait for their answers at a time: what the schedule wants beyond is not sent, and told.</param>
internal sealed record OpenPlan(double Rate, TimeSpan Duration, int MaxOutstanding) : LoadPlan
{
    public override string Describe() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"open loop, {Rate:0.##} requests/s for {Durations.Text(Duration)}");
}

namespace Lab.Worker.ModelCommands;

/// <summary>Measurements that take turns.</summary>
/// <param name="Rounds">Turns for each.</param>
/// <param name="Duration">The length of a turn.</param>
/// <param name="CancellationToken">Ends the measuring between two turns.</param>
internal sealed record Turns(int Rounds, TimeSpan Duration, CancellationToken CancellationToken)
{
    /// <summary>Takes all turns, after a shorter round that warms up.</summary>
    /// <param name="measurements">What to measure, for the duration given.</param>
    /// <param name="forget">Drops what was measured while warming up.</param>
    public void Take(IReadOnlyList<Action<TimeSpan>> measurements, Action forget)
    {
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var measure in measurements)
            {
                CancellationToken.ThrowIfCancellationRequested();
                measure(round == 0 ? Duration / 4 : Duration);
            }

            if (round == 0) forget();
        }
    }
}

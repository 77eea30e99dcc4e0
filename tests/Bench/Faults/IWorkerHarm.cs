namespace Lab.Bench.Faults;

/// <summary>Harms workers, wherever they run.</summary>
internal interface IWorkerHarm
{
    /// <summary>Looks whether a worker can be harmed here.</summary>
    /// <returns><c>null</c>, or why not.</returns>
    string? WhyNot(WorkerPlace worker);

    /// <summary>Ends the worker at once, as a crash does. Somebody else starts it again.</summary>
    /// <exception cref="BenchException">It could not be done.</exception>
    Task KillAsync(WorkerPlace worker, CancellationToken cancellation);

    /// <summary>Stops the worker where it is: its connections stay, and nothing is answered.</summary>
    /// <exception cref="BenchException">It could not be done.</exception>
    Task FreezeAsync(WorkerPlace worker, CancellationToken cancellation);

    /// <summary>Lets the worker run about a quarter of the time, for as long as is said.</summary>
    /// <exception cref="BenchException">It could not be done.</exception>
    Task SlowAsync(WorkerPlace worker, TimeSpan duration, CancellationToken cancellation);

    /// <summary>Lets a frozen or slowed worker go on. Nothing happens to one that is neither, or has gone.</summary>
    Task ThawAsync(WorkerPlace worker, CancellationToken cancellation);
}

/// <summary>A worker and where it listens.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Host">The host of its address, as the orchestrator knows it.</param>
/// <param name="Port">The port of its address.</param>
internal sealed record WorkerPlace(string Name, string Host, int Port);

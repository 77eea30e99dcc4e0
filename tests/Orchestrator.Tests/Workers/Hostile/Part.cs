namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>What a part must come to for the worker that plays it.</summary>
internal enum End
{
    /// <summary>It loses the fleet's trust.</summary>
    Quarantined,

    /// <summary>It does nothing wrong, costs nobody an attempt, and keeps the trust.</summary>
    Harmless,

    /// <summary>Whether it is caught depends on when its bytes arrive.</summary>
    Either,

    /// <summary>It never gets any work.</summary>
    NeverTrusted,
}

/// <summary>What a hostile worker does; of what it leaves open the server does what a good worker does.</summary>
/// <param name="Name">Its name.</param>
/// <param name="End">What it must come to.</param>
/// <param name="Play">Answers a dispatch.</param>
internal sealed record Part(string Name, End End, Func<Exchange, Task> Play)
{
    /// <summary>Answers <c>GET /health</c>.</summary>
    public Func<Exchange, Task>? Health { get; init; }

    /// <summary>Answers <c>GET /info</c>.</summary>
    public Func<Exchange, Task>? Info { get; init; }

    /// <summary>Greets every connection that comes after the worker has told its model.</summary>
    public Func<Exchange, Task>? Greet { get; init; }

    /// <summary>Whether it is honest with single texts.</summary>
    public bool InBatches { get; init; }

    /// <summary>So often it is played while clients send requests; a part that takes long is played less.</summary>
    public int Times { get; init; } = 3;

    /// <summary>Answers by a whole response.</summary>
    public static Part Says(string name, End end, Func<Exchange, string> response) => new(name, end, exchange => exchange.SendAsync(response(exchange)));

    /// <summary>Answers by a well-formed response with this body.</summary>
    public static Part Tells(string name, End end, Func<Exchange, string> body) => Says(name, end, exchange => Exchange.Ok(body(exchange)));

    /// <summary>Answers a batch by these results, and a single text as it should.</summary>
    public static Part Batch(string name, Func<Exchange, string[]> results) =>
        Tells(name, End.Quarantined, exchange => exchange.IsBatch ? Exchange.BatchOf(results(exchange)) : exchange.Answer()) with { InBatches = true };

    /// <summary>Sends something and then nothing more, with the connection open.</summary>
    public static Part Hangs(string name, Func<Exchange, string> bytes) => new(name, End.Quarantined, async exchange =>
    {
        await exchange.SendAsync(bytes(exchange));
        await exchange.UntilClosedAsync();
    })
    {
        Times = 1,
    };

    /// <summary>Sends a beginning, and then the same again and again for as long as anybody reads.</summary>
    public static Part Floods(string name, string beginning, string again) => new(name, End.Quarantined, exchange => exchange.FloodAsync(beginning, again));

    /// <inheritdoc/>
    public override string ToString() => Name;
}

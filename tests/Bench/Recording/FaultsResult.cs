namespace Lab.Bench.Recording;

/// <summary>What was done to workers during a run, and whether they came back.</summary>
/// <param name="Harms">In the order of their beginning.</param>
/// <param name="NotBack">Workers that were not at work again when the patience was over.</param>
internal sealed record FaultsResult(IReadOnlyList<Harm> Harms, IReadOnlyList<string> NotBack);

/// <summary>One harm.</summary>
/// <param name="Kind"><c>kill</c>, <c>freeze</c> or <c>slow</c>.</param>
/// <param name="Worker">Whom.</param>
/// <param name="FromSeconds">When, from the beginning of the run.</param>
/// <param name="UntilSeconds">When it ended, or, for a kill, when the worker was at work again.</param>
/// <param name="Note">What else there is to say.</param>
internal sealed record Harm(string Kind, string Worker, double FromSeconds, double UntilSeconds, string? Note = null);

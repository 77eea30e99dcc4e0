using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>Which model is the fleet's where its workers do not agree.</summary>
internal static class FleetModel
{
    private const int MaxShaLength = 8;

    // Two of them, and the words around, are no longer than what is told of a worker.
    private const int MaxDescription = 200;

    /// <summary>
    /// The model that most workers serve; of several equally many the one that more of those at work serve, then the
    /// one that was the fleet's before.
    /// </summary>
    /// <param name="workers">Every worker; one whose model is not known has no say.</param>
    /// <param name="before">The fleet's model until now.</param>
    /// <returns>The model, or <paramref name="before"/> if none is known.</returns>
    public static ModelInfo? Choose(IEnumerable<WorkerNode> workers, ModelInfo? before)
    {
        var votes = new List<(ModelInfo Model, int Known, int Alive)>();
        foreach (var worker in workers)
        {
            if (worker is not { Removed: false, Model: { } model }) continue;
            var i = votes.FindIndex(vote => vote.Model.IsSameModel(model));
            if (i < 0)
            {
                votes.Add((model, 0, 0));
                i = votes.Count - 1;
            }

            votes[i] = votes[i] with { Known = votes[i].Known + 1, Alive = votes[i].Alive + (worker.IsAlive ? 1 : 0) };
        }

        return votes.Count == 0 ? before : votes
            .OrderByDescending(vote => vote.Known)
            .ThenByDescending(vote => vote.Alive)
            .ThenByDescending(vote => before is not null && vote.Model.IsSameModel(before))
            .First().Model;
    }

    /// <summary>A model in a few words, for the reason why a worker gets no work.</summary>
    public static string Describe(ModelInfo model) => WorkerWords.Plain(
        $"{model.ModelId} (sha {WorkerWords.Plain(model.ModelSha, MaxShaLength)}, {KindOf(model)}labels {string.Join(", ", model.Labels)})", MaxDescription);

    private static string KindOf(ModelInfo model) => model.Problem switch
    {
        ProblemType.MultiLabel => "several at once, ",
        ProblemType.Regression => "regression, ",
        _ => "",
    };
}

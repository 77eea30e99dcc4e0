using System.Globalization;
using System.Text.Json.Serialization;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>The answer of <c>GET /info</c>, in the form of text-embeddings-inference.</summary>
/// <param name="ModelId">The model's name.</param>
/// <param name="ModelSha">SHA-256 of the weights' file, in hexadecimal.</param>
/// <param name="ModelDtype">The numbers that are computed with.</param>
/// <param name="ModelType">What the model is for: here always a classifier.</param>
/// <param name="MaxConcurrentRequests">Requests at a time: of a worker one and those that it queues, of the orchestrator what its queue holds.</param>
/// <param name="MaxInputLength">The longest input in tokens, special tokens included.</param>
/// <param name="MaxBatchTokens">The most tokens that one request can bring.</param>
/// <param name="MaxClientBatchSize">The most inputs in one request.</param>
/// <param name="AutoTruncate">Whether too long an input is cut without being asked.</param>
/// <param name="TokenizationWorkers">Threads that tokenise.</param>
/// <param name="Version">The service's version.</param>
/// <param name="ProblemType">How scores are made, which the form has no place for; absent is <see cref="Contracts.ProblemType.SingleLabel"/>.</param>
public sealed record ModelInfo(
    string ModelId,
    string ModelSha,
    string ModelDtype,
    ModelInfo.ModelTypeInfo ModelType,
    int MaxConcurrentRequests,
    int MaxInputLength,
    int MaxBatchTokens,
    int MaxClientBatchSize,
    bool AutoTruncate,
    int TokenizationWorkers,
    string Version,
    ProblemType? ProblemType = null)
{
    /// <summary>How scores are made, whether it was told or not.</summary>
    [JsonIgnore]
    public ProblemType Problem => ProblemType ?? Contracts.ProblemType.SingleLabel;

    /// <summary>The labels in the order of their ids.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Labels =>
        [.. Enumerable.Range(0, ModelType.Classifier.Id2Label.Count)
            .Select(id => ModelType.Classifier.Id2Label.GetValueOrDefault(id.ToString(CultureInfo.InvariantCulture), ""))];

    /// <summary>Whether the other is the same model: the same name, weights, labels and meaning of scores.</summary>
    public bool IsSameModel(ModelInfo other) => ReferenceEquals(this, other)
        || (ModelId == other?.ModelId && ModelSha == other.ModelSha && Problem == other.Problem
            // Asked of every worker again and again, and the lists are made anew each time.
            && ModelType.Classifier.Id2Label.Count == other.ModelType.Classifier.Id2Label.Count && Labels.SequenceEqual(other.Labels));

    /// <summary>The kind of model, as the member that is there.</summary>
    /// <param name="Classifier">A classifier.</param>
    public sealed record ModelTypeInfo(ClassifierInfo Classifier);

    /// <summary>A classifier's labels.</summary>
    /// <param name="Id2Label">Label by id.</param>
    /// <param name="Label2Id">Id by label.</param>
    public sealed record ClassifierInfo(
        [property: JsonPropertyName("id2label")] IReadOnlyDictionary<string, string> Id2Label,
        [property: JsonPropertyName("label2id")] IReadOnlyDictionary<string, int> Label2Id);
}

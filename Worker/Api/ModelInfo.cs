using System.Globalization;
using System.Text.Json.Serialization;
using Lab.Worker.Inference;

namespace Lab.Worker.Api;

/// <summary>The answer of <c>GET /info</c>, in the form of text-embeddings-inference.</summary>
/// <param name="ModelId">The model's name.</param>
/// <param name="ModelSha">SHA-256 of the weights' file, in hexadecimal.</param>
/// <param name="ModelDtype">The numbers that are computed with.</param>
/// <param name="ModelType">What the model is for: here always a classifier.</param>
/// <param name="MaxConcurrentRequests">Computations at a time: one.</param>
/// <param name="MaxInputLength">The longest input in tokens, special tokens included.</param>
/// <param name="MaxBatchTokens">The most tokens that one request can bring.</param>
/// <param name="MaxClientBatchSize">The most inputs in one request.</param>
/// <param name="AutoTruncate">Whether too long an input is cut without being asked.</param>
/// <param name="TokenizationWorkers">Threads that tokenise.</param>
/// <param name="Version">The worker's version.</param>
internal sealed record ModelInfo(
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
    string Version)
{
    /// <summary>The answer for a loaded model.</summary>
    public static ModelInfo Of(ModelDescription model) => new(
        model.Name,
        model.Sha256,
        "float32",
        new(new(
            model.Labels.Index().ToDictionary(label => label.Index.ToString(CultureInfo.InvariantCulture), label => label.Item),
            model.Labels.Index().ToDictionary(label => label.Item, label => label.Index))),
        MaxConcurrentRequests: 1,
        model.MaxTokens,
        model.MaxTokens * PredictRequest.MaxInputs,
        PredictRequest.MaxInputs,
        AutoTruncate: false,
        TokenizationWorkers: 1,
        typeof(ModelInfo).Assembly.GetName().Version!.ToString(3));

    /// <summary>The kind of model, as the member that is there.</summary>
    /// <param name="Classifier">A classifier.</param>
    internal sealed record ModelTypeInfo(ClassifierInfo Classifier);

    /// <summary>A classifier's labels.</summary>
    /// <param name="Id2Label">Label by id.</param>
    /// <param name="Label2Id">Id by label.</param>
    internal sealed record ClassifierInfo(
        [property: JsonPropertyName("id2label")] IReadOnlyDictionary<string, string> Id2Label,
        [property: JsonPropertyName("label2id")] IReadOnlyDictionary<string, int> Label2Id);
}

using Microsoft.AspNetCore.Http;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>What stands behind the standard protocols: in a worker its model, in the orchestrator its workers.</summary>
public interface IClassifier
{
    /// <summary>The model that answers; <c>null</c> while that is not known.</summary>
    ModelInfo? Model { get; }

    /// <summary>Whether an input would be taken now.</summary>
    ValueTask<bool> IsReadyAsync(CancellationToken cancellationToken);

    /// <summary>Classifies a client's inputs, all or none.</summary>
    /// <param name="inputs">1 to <see cref="TextInput.MaxInputs"/>.</param>
    /// <param name="rawScores">Whether logits are asked for.</param>
    /// <param name="context">The request, for what its headers ask for and for the client's hanging up.</param>
    /// <returns>The answer or why there is none.</returns>
    Task<Result<Classified>> ClassifyAsync(IReadOnlyList<TextInput> inputs, bool rawScores, HttpContext context);

    /// <summary>Counts a request that an endpoint of the protocols refuses.</summary>
    /// <param name="status">The refusal's HTTP status.</param>
    void Refused(int status)
    {
    }
}

/// <summary>The answer to a client's inputs.</summary>
/// <param name="Texts">One for each input, in order.</param>
/// <param name="InferenceMs">Time of tokenisation and inference, in milliseconds; of several dispatches the longest.</param>
/// <param name="Worker">Who computed, where that is more than one several names with commas; <c>null</c> from a worker itself.</param>
/// <param name="QueueMs">Time before the dispatch in milliseconds, of several the longest.</param>
/// <param name="Attempts">Dispatches it took, of several inputs the most.</param>
public sealed record Classified(
    IReadOnlyList<ClassifiedText> Texts,
    double InferenceMs,
    string? Worker = null,
    double? QueueMs = null,
    int? Attempts = null);

/// <summary>The answer to one input.</summary>
/// <param name="Label">The class with the highest score.</param>
/// <param name="Probabilities">One score for each class, in the order of the model's <c>id2label</c>: probabilities, or the numbers of a regression.</param>
/// <param name="Logits">The logits they are made of, where raw scores were asked for.</param>
/// <param name="Truncated">Whether the input was cut.</param>
public sealed record ClassifiedText(string Label, IReadOnlyList<float> Probabilities, IReadOnlyList<float>? Logits, bool Truncated);

using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>What a model's answers are made of, against which each is held.</summary>
/// <param name="labels">The labels that an answer may name, in the order of their ids; empty where no model is known.</param>
/// <param name="problem">How scores are made.</param>
internal sealed class ModelOutput(IReadOnlyList<string> labels, ProblemType problem = ProblemType.SingleLabel)
{
    // Quotes, a comma and some space; each character as it is, or escaped.
    private const int BytesPerName = 8, BytesPerLetter = 2, BytesPerOther = 6;

    /// <summary>Of a worker whose model nobody knows: one label with its probabilities.</summary>
    public static ModelOutput Unknown { get; } = new([]);

    /// <summary>The labels, in the order of their ids; empty where no model is known.</summary>
    public IReadOnlyList<string> Labels { get; } = labels;

    /// <summary>How scores are made.</summary>
    public ProblemType Problem { get; } = problem;

    /// <summary>How many bytes of JSON all labels that one text may have take; 0 where it has only one.</summary>
    public long LabelsBytes { get; } = problem is not ProblemType.MultiLabel ? 0
        : labels.Sum(label => BytesPerName + label.Sum(letter => (long)(char.IsAscii(letter) ? BytesPerLetter : BytesPerOther)));

    /// <summary>What answers of a model are made of.</summary>
    public static ModelOutput Of(ModelInfo? model) => model is null ? Unknown : new(model.Labels, model.Problem);
}

using System.Text.Json.Serialization;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>
/// What a classifier's scores mean, and so how they are made of logits: <c>problem_type</c> of Hugging Face's
/// <c>config.json</c>, as the text-classification pipeline of transformers understands it.
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<ProblemType>))]
public enum ProblemType
{
    /// <summary>One of the labels is right: softmax. With one label alone, the logistic function: how sure that label is.</summary>
    [JsonStringEnumMemberName("single_label_classification")]
    SingleLabel,

    /// <summary>Any number of the labels are right: the logistic function of each.</summary>
    [JsonStringEnumMemberName("multi_label_classification")]
    MultiLabel,

    /// <summary>The numbers themselves, any finite ones.</summary>
    [JsonStringEnumMemberName("regression")]
    Regression,
}

/// <summary>What follows from a multi-label model's probabilities.</summary>
public static class MultiLabel
{
    /// <summary>The least probability of a label that a text has.</summary>
    public const float Threshold = 0.5f;

    /// <summary>The labels that a text has: those of <see cref="Threshold"/> and more, in falling order, of equals the one with the lower id first; maybe none.</summary>
    /// <param name="probabilities">One for each label, in the order of their ids.</param>
    /// <param name="labels">The model's labels, in the order of their ids.</param>
    public static string[] LabelsOf(IReadOnlyList<float> probabilities, IReadOnlyList<string> labels) =>
        [.. probabilities.Zip(labels).Where(pair => pair.First >= Threshold).OrderByDescending(pair => pair.First).Select(pair => pair.Second)];
}

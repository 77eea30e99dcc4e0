using System.Globalization;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>Whether what a worker tells of its model can be a model: it is told on to clients, and answers are held against it.</summary>
internal static class ModelCheck
{
    /// <summary>The most labels that a model may have.</summary>
    public const int MaxLabels = 10_000;

    /// <summary>What is wrong with it; <c>null</c> if nothing is.</summary>
    public static string? Fault(ModelInfo? model)
    {
        // Whatever the type says, a member that was left out is null.
        if (model is not { ModelId: not null, ModelSha: not null, ModelType.Classifier.Id2Label: { Count: > 0 } labels }) return "its /info names no model with labels";
        if (labels.Count > MaxLabels) return $"its /info names more than {MaxLabels} labels";
        if (!WireName.IsValid(model.ModelId) || !WireName.IsValid(model.ModelSha) || !IsNameOrNull(model.ModelDtype) || !IsNameOrNull(model.Version))
            return "its /info has a name that is none";
        // A number can be read as one too, whatever it is.
        if (!Enum.IsDefined(model.Problem)) return "its /info has a problem type that is none";
        var names = new HashSet<string>(labels.Count, StringComparer.Ordinal);
        for (var id = 0; id < labels.Count; id++)
        {
            if (!labels.TryGetValue(id.ToString(CultureInfo.InvariantCulture), out var label) || !WireName.IsValid(label))
                return $"its /info has no label for {id}, or one that is none";
            // No answer that names it could be held against its probabilities.
            if (!names.Add(label)) return "its /info names a label twice";
        }

        return null;
    }

    private static bool IsNameOrNull(string? said) => said is null || WireName.IsValid(said);
}

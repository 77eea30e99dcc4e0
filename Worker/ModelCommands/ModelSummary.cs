using System.Globalization;
using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.ModelCommands;

/// <summary>What a model directory is, in words: a name and what is to be said of it, one after the other.</summary>
internal static class ModelSummary
{
    private const int MaxLabelChars = 200;

    /// <summary>All that is known before the network is built.</summary>
    /// <param name="model">The model.</param>
    /// <param name="weights">Its weights.</param>
    public static IEnumerable<(string Name, string Text)> Of(LoadedModel model, EncoderWeights weights)
    {
        var config = model.Config;
        var names = config.Architecture.TensorNames;
        var activation = config.Activation.ToString().ToLowerInvariant();
        yield return ("architecture", $"{config.Architecture.ModelType} ({config.Architecture.ClassName})");
        yield return ("shape", $"{config.Layers} {(config.Layers == 1 ? "layer" : "layers")} of width {config.Dim}, {config.Heads} {(config.Heads == 1 ? "head" : "heads")}, feed-forward {config.HiddenDim} ({activation})");
        yield return ("size", Size(model, weights));
        yield return ("tokenizer", model.Tokens.Vocabulary);
        yield return ("longest input", model.Tokenizer.MaxTokens < config.MaxPositions
            ? $"{model.Tokenizer.MaxTokens} tokens, as the tokenizer's files say; the model could read {config.MaxPositions}"
            : $"{model.Tokenizer.MaxTokens} tokens");
        yield return ("pairs", model.Tokens.Pair);
        yield return ("head", $"{names[EncoderTensors.HeadDense]}, {config.Architecture.Head.ToString().ToLowerInvariant()}, {names[EncoderTensors.HeadOutput]}");
        yield return ("labels", Labels(config.Labels));
        yield return ("scores", config switch
        {
            { Problem: ProblemType.Regression } => "the numbers themselves (regression)",
            { Problem: ProblemType.MultiLabel } => "the sigmoid of each label; a text has several or none",
            { Labels.Count: 1 } => "the sigmoid",
            _ => "softmax",
        } + (config.Labels.Count == 1 ? "; with one label it answers /rerank too" : ""));
    }

    private static string Size(LoadedModel model, EncoderWeights weights)
    {
        using var file = WeightFiles.Open(model.Path);
        var parameters = EncoderTensors.Of(model.Config).Sum(tensor => tensor.Shape.Aggregate(1L, (product, dimension) => product * dimension));
        var types = file.Entries.Values.GroupBy(entry => entry.ElementType).Select(group => group.Key).Order(StringComparer.Ordinal);
        return string.Create(CultureInfo.InvariantCulture, $"{parameters:N0} parameters; {weights.FileBytes / 1e6:F1} MB in {string.Join(", ", types)}");
    }

    // There may be thousands.
    private static string Labels(IReadOnlyList<string> labels)
    {
        var shown = labels.Count;
        while (shown > 1 && labels.Take(shown).Sum(label => label.Length + 2) > MaxLabelChars) shown--;
        return $"{labels.Count}: {string.Join(", ", labels.Take(shown))}{(shown < labels.Count ? ", …" : "")}";
    }
}

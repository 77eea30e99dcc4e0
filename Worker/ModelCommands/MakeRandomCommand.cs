using System.CommandLine;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.ModelCommands;

/// <summary><c>model make-random</c>: a directory of any shape with random weights, to measure how fast that shape is.</summary>
internal static class MakeRandomCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = ModelArguments.Directory("The directory, made where it does not exist.");
        var architecture = ModelArguments.Architecture();
        var layers = Number("--layers", architecture => architecture.Layers, "Transformer layers");
        var dim = Number("--dim", architecture => architecture.Standard.Dim, "Width of the hidden states");
        var heads = Number("--heads", architecture => architecture.Standard.Heads, "Attention heads, which divide --dim");
        var hidden = Number("--hidden", architecture => architecture.Standard.HiddenDim, "Width of the feed-forward network's inner layer");
        var positions = ModelArguments.Number("--positions", EncoderConfig.StandardPositionRows, "The longest input in tokens.");
        var vocabulary = Number("--vocab", architecture => architecture.VocabSize, "Tokens of the vocabulary");
        var labels = ModelArguments.Number("--labels", 2, "Labels, 1 to 4096; more or fewer than two are named LABEL_0, LABEL_1 and so on.");
        labels.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is (< 1 or > 1 << 12) and var count) result.AddError($"--labels is {count}; it must be 1 to {1 << 12}");
        });
        var seed = ModelArguments.Number("--seed", 1, "The same seed gives the same bytes.");
        var type = ModelArguments.OneOf("--type", StoredType.F32, "How weights are stored: f32, f16 or bf16.");
        var command = new Command("make-random", "Makes a directory of any shape with random weights.")
        {
            directory, architecture, layers, dim, heads, hidden, positions, vocabulary, labels, seed, type,
        };
        command.SetAction(parse => ModelCommand.GuardAsync(() =>
        {
            var path = parse.GetRequiredValue(directory);
            if (File.Exists(Path.Combine(path, EncoderConfig.FileName)))
                throw new ModelDirectoryException(path, $"has a {EncoderConfig.FileName} already, and no model is overwritten");
            var standard = parse.GetRequiredValue(architecture).Standard;
            var count = parse.GetValue(labels);
            RandomModelDirectory.Write(
                path,
                standard with
                {
                    Layers = parse.GetValue(layers) ?? standard.Layers,
                    Dim = parse.GetValue(dim) ?? standard.Dim,
                    Heads = parse.GetValue(heads) ?? standard.Heads,
                    HiddenDim = parse.GetValue(hidden) ?? standard.HiddenDim,
                    MaxPositions = parse.GetValue(positions),
                    VocabSize = parse.GetValue(vocabulary) ?? standard.VocabSize,
                    Labels = count == standard.Labels.Count ? standard.Labels : [.. Enumerable.Range(0, count).Select(id => $"LABEL_{id}")],
                },
                parse.GetValue(seed),
                parse.GetValue(type));
            Console.WriteLine($"{path}: {new FileInfo(Path.Combine(path, EncoderWeights.FileName)).Length >> 20} MiB of random weights");
            return 0;
        }));
        return command;
    }

    // What it is without the option is said once where all architectures have the same.
    private static Option<int?> Number(string name, Func<EncoderArchitecture, int> standard, string description)
    {
        var groups = Architectures.All.GroupBy(standard).ToList();
        var defaults = groups.Count == 1 ? $"{groups[0].Key}" : string.Join(", ", groups.Select(group => $"{group.Key} for {string.Join(" and ", group)}"));
        return new(name) { Description = $"{description}. [default: {defaults}]" };
    }
}

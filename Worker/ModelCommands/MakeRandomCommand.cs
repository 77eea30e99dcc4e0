using System.CommandLine;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.ModelCommands;

/// <summary><c>model make-random</c>: a directory of any shape with random weights, to measure how fast that shape is.</summary>
internal static class MakeRandomCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var standard = new EncoderConfig();
        var directory = ModelArguments.Directory("The directory, made where it does not exist.");
        var layers = ModelArguments.Number("--layers", standard.Layers, "Transformer layers.");
        var dim = ModelArguments.Number("--dim", standard.Dim, "Width of the hidden states.");
        var heads = ModelArguments.Number("--heads", standard.Heads, "Attention heads; they divide --dim.");
        var hidden = ModelArguments.Number("--hidden", standard.HiddenDim, "Width of the feed-forward network's inner layer.");
        var positions = ModelArguments.Number("--positions", standard.MaxPositions, "The longest input in tokens.");
        var vocabulary = ModelArguments.Number("--vocab", standard.VocabSize, "Lines of vocab.txt.");
        var seed = ModelArguments.Number("--seed", 1, "The same seed gives the same bytes.");
        var type = ModelArguments.OneOf("--type", StoredType.F32, "How weights are stored: f32, f16 or bf16.");
        var command = new Command("make-random", "Makes a directory of any shape with random weights.")
        {
            directory, layers, dim, heads, hidden, positions, vocabulary, seed, type,
        };
        command.SetAction(parse => ModelCommand.GuardAsync(() =>
        {
            var path = parse.GetRequiredValue(directory);
            if (File.Exists(Path.Combine(path, EncoderConfig.FileName)))
                throw new ModelDirectoryException(path, $"has a {EncoderConfig.FileName} already, and no model is overwritten");
            RandomModelDirectory.Write(
                path,
                new()
                {
                    Layers = parse.GetValue(layers),
                    Dim = parse.GetValue(dim),
                    Heads = parse.GetValue(heads),
                    HiddenDim = parse.GetValue(hidden),
                    MaxPositions = parse.GetValue(positions),
                    VocabSize = parse.GetValue(vocabulary),
                },
                parse.GetValue(seed),
                parse.GetValue(type));
            Console.WriteLine($"{path}: {new FileInfo(Path.Combine(path, EncoderWeights.FileName)).Length >> 20} MiB of random weights");
            return 0;
        }));
        return command;
    }
}

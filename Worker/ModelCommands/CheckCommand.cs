using System.CommandLine;
using System.Globalization;
using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Spectre.Console;

namespace Lab.Worker.ModelCommands;

/// <summary><c>model check</c>: what is in a directory, what would be built of it, and in one line whether it can be served.</summary>
internal static class CheckCommand
{
    private const int MaxShownChars = 1000;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = ModelArguments.Directory();
        var precision = ModelArguments.Precision();
        var command = new Command("check", "Reads every number of a model directory and says whether it can be served.") { directory, precision };
        command.SetAction(parse => ModelCommand.GuardAsync(() => Run(parse.GetRequiredValue(directory), parse.GetValue(precision))));
        return command;
    }

    private static int Run(string directory, Precision precision)
    {
        var model = LoadedModel.Read(directory);
        var config = model.Config;
        using var file = WeightFiles.Open(model.Path);
        var parameters = EncoderTensors.Of(config).Sum(tensor => tensor.Shape.Aggregate(1L, (product, dimension) => product * dimension));
        var types = file.Entries.Values.GroupBy(entry => entry.ElementType).Select(group => $"{group.Count()} × {group.Key}");

        var table = new Table().Border(TableBorder.Markdown).AddColumns("", "");
        Row("architecture", $"{config.Architecture}");
        Row("layers, width, heads, feed-forward", $"{config.Layers}, {config.Dim}, {config.Heads}, {config.HiddenDim} ({config.Activation.ToString().ToLowerInvariant()})");
        Row("vocabulary", model.Vocabulary);
        Row("longest input", $"{model.Tokenizer.MaxTokens} tokens");
        Row("labels", string.Join(", ", config.Labels));
        Row("scores", config switch
        {
            { Problem: ProblemType.Regression } => "the numbers themselves (regression)",
            { Problem: ProblemType.MultiLabel } => "sigmoid, several labels at once",
            { Labels.Count: 1 } => "sigmoid",
            _ => "softmax",
        });
        Row("parameters", string.Create(CultureInfo.InvariantCulture, $"{parameters:N0}"));
        Row("tensors", $"{file.Entries.Count} ({string.Join(", ", types)})");
        using (var weights = EncoderWeights.Open(model.Path, config))
        {
            var compiler = new ModelCompiler(cache: null, Processor.Current, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            Row("SHA-256 of the weights", weights.Sha256());
            Row("would be built", precision is Precision.Int8
                ? $"int8, weights of ±{compiler.Levels(precision)}, one scale for each output channel"
                : "fp32");
            Row("compiled", weights.FileBytes < ModelCompiler.MinCachedBytes ? "in memory, at each start" : "once for this host, into the cache");
            Row("work for a text of 32 tokens", string.Create(CultureInfo.InvariantCulture, $"{Work.Done(config, Math.Min(32, config.MaxPositions)) / 1e9:F2} GOP"));
        }

        // Reads every number, and computes once: numbers can be finite, and their sums not.
        using (var session = model.Open(new(precision)))
        {
            if (!Array.TrueForAll(session.ComputeLogits([model.Tokenizer.Encode("a")])[0], float.IsFinite))
                throw new ModelDirectoryException(model.Path, "gives logits that are not finite");
        }

        AnsiConsole.Write(table);
        Console.WriteLine($"OK: {model.Path} can be served as {precision.ToString().ToLowerInvariant()}.");
        return 0;

        void Row(string what, string value) => table.AddRow(new Text(what), new Text(Shown(value)));
    }

    // There may be thousands of labels.
    private static string Shown(string value) => value.Length <= MaxShownChars ? value : $"{value.AsSpan(0, MaxShownChars)}…";
}

using System.CommandLine;
using System.Globalization;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Spectre.Console;

namespace Lab.Worker.ModelCommands;

/// <summary>
/// <c>model check</c>: what is in a directory, what is built of it, what that takes here, and in one line whether it can be
/// served. It changes nothing: what it compiles is gone when it ends.
/// </summary>
internal static class CheckCommand
{
    private const int MaxWidth = 80;
    private const int Tokens = 32;
    private const int Batch = 8;

    private static readonly TimeSpan BenchDuration = TimeSpan.FromSeconds(0.5);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = ModelArguments.Directory();
        var precision = ModelArguments.Precision();
        var cache = new Option<string?>("--cache") { Description = "The cache's directory, as in Worker__CacheDirectory; the model is not put there." };
        var noBench = new Option<bool>("--no-bench") { Description = "Does not measure how fast it is, which takes a second." };
        var command = new Command("check", "Says what a model directory is, reads every number of it, and says whether it can be served.") { directory, precision, cache, noBench };
        command.SetAction((parse, cancellationToken) => ModelCommand.GuardAsync(() => Run(
            parse.GetRequiredValue(directory), parse.GetValue(precision), new() { CacheDirectory = parse.GetValue(cache) }, parse.GetValue(noBench), cancellationToken)));
        return command;
    }

    private static int Run(string directory, Precision precision, WorkerOptions options, bool noBench, CancellationToken cancellationToken)
    {
        var model = LoadedModel.Read(directory);
        var rows = new List<(string Name, string Text)>();
        using (var built = Build(model, precision, options, rows, cancellationToken))
        {
            var length = Math.Min(Tokens, model.Tokenizer.MaxTokens);
            rows.Add(("would be built", Built(precision)));
            rows.Add(("cache entry", built.Entry));
            rows.Add(("memory", Memory(built, RandomTexts.Of(model.Config, Batch, length))));
            cancellationToken.ThrowIfCancellationRequested();
            if (!noBench) rows.Add(("speed", Speed(built.Session, model.Config, length)));
        }

        var table = new Table().NoBorder().HideHeaders().AddColumn(new TableColumn("").NoWrap().PadLeft(0).PadRight(2)).AddColumn(new TableColumn("").PadLeft(0).PadRight(0));
        table.Width = Math.Min(MaxWidth, AnsiConsole.Profile.Width);
        foreach (var (name, text) in rows) table.AddRow(new Text(name), new Text(text));
        AnsiConsole.Write(table);
        Console.WriteLine($"OK: {model.Path} can be served as {precision.ToString().ToLowerInvariant()}.");
        return 0;
    }

    // Here the files are closed again before memory is measured: what a worker has mapped of them is not much of it.
    private static BuiltModel Build(LoadedModel model, Precision precision, WorkerOptions options, List<(string Name, string Text)> rows, CancellationToken cancellationToken)
    {
        using var weights = EncoderWeights.Open(model.Path, model.Config);
        var sha256 = weights.Sha256();
        rows.AddRange([.. ModelSummary.Of(model, weights), ("SHA-256", sha256)]);
        return BuiltModel.Build(model, weights, sha256, precision, options, cancellationToken);
    }

    private static string Built(Precision precision)
    {
        var levels = new ModelCompiler(cache: null, Processor.Current, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance).Levels(precision);
        return levels is null
            ? "fp32: all in 32-bit floats"
            : $"int8: weights of ±{levels} with a scale for each output channel, tokens with a scale for each, the table of words in 16 bits";
    }

    // As a worker that is ready: what loading took has been given back.
    private static string Memory(BuiltModel built, int[][] texts)
    {
        built.Session.ComputeLogits(texts);
        ProcessMemory.Trim();
        var memory = ProcessMemory.Measure(built.MappedDirectory);
        return string.Create(CultureInfo.InvariantCulture,
            $"{(memory.Resident - memory.Mapped) / 1e6:F0} MB{(memory.Mapped > 0 ? $" and {memory.Mapped / 1e6:F0} MB of compiled weights, which all workers of a host share" : "")} (resident in this process with {texts.Length} texts computed; a worker has its web server besides, some 30 MB)");
    }

    private static string Speed(ClassifierSession session, EncoderConfig config, int length)
    {
        double one = Rate(1), batch = Rate(Batch);
        return string.Create(CultureInfo.InvariantCulture,
            $"{one:F0} texts/s of {length} tokens one at a time, {1000 / one:F1} ms each; {batch:F0} texts/s in batches of {Batch}; {Work.Done(config, length) / 1e9:F2} GOP a text (one thread, {BenchDuration.TotalSeconds} s each)");

        double Rate(int size)
        {
            var texts = RandomTexts.Of(config, size, length);
            return size * Samples.Rate(() => session.ComputeLogits(texts), BenchDuration);
        }
    }
}

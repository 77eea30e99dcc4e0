using System.Diagnostics;
using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Compilation;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Inference;

/// <summary>From text to probabilities: tokeniser, logits, scores. Not for concurrent use: the caller holds the gate.</summary>
/// <param name="description">What the model is.</param>
/// <param name="tokenizer">Its tokeniser.</param>
/// <param name="logits">Its network, owned by this object from now on.</param>
/// <param name="telemetry">Where measurements go.</param>
internal sealed class TextModel(
    ModelDescription description, ITokenizer tokenizer, ILogitsModel logits, WorkerTelemetry telemetry) : IDisposable
{
    private const int WarmUpTokens = 32;
    private const int WarmUpTexts = 6;

    /// <summary>What the model is.</summary>
    public ModelDescription Description => description;

    /// <summary>Loads a model directory.</summary>
    /// <param name="options">Which, and how.</param>
    /// <param name="telemetry">Where measurements go.</param>
    /// <param name="time">The clock of the cache and of the compiler.</param>
    /// <param name="logger">Where the compiler speaks.</param>
    /// <param name="cancellationToken">Ends the wait for another process that compiles the same model.</param>
    /// <exception cref="ModelDirectoryException">The directory cannot be served.</exception>
    public static TextModel Load(
        WorkerOptions options, WorkerTelemetry telemetry, TimeProvider time, ILogger logger, CancellationToken cancellationToken = default) =>
        Load(ModelFiles.Read(options.FullModelDirectory, options.OpenCache(time)?.Notes), options, telemetry, time, logger, cancellationToken);

    /// <summary>Builds the network of a model directory that has been read, whose weights it owns from now on.</summary>
    /// <exception cref="ModelDirectoryException">The directory cannot be served.</exception>
    public static TextModel Load(
        ModelFiles files, WorkerOptions options, WorkerTelemetry telemetry, TimeProvider time, ILogger logger, CancellationToken cancellationToken = default)
    {
        var (config, tokenizer, weights, sha256) = files;
        var description = new ModelDescription(options.FullModelName, sha256, config.Labels, tokenizer.MaxTokens, options.FullPrecision, config.Problem);
        var sessions = new SessionFactory(new(options.OpenCache(time), Processor.Current, time, logger), logger);
        var settings = new SessionSettings(options.FullPrecision, Math.Min(options.Threads, Environment.ProcessorCount), options.Deterministic);
        return new(description, tokenizer, sessions.Open(config, weights, description.Sha256, settings, cancellationToken), telemetry);
    }

    /// <summary>
    /// Computes once for a short text and once for a few of common length, so that the first request finds nearly all memory
    /// allocated; and gives back what loading took.
    /// </summary>
    /// <exception cref="InvalidOperationException">The logits are not finite.</exception>
    public void WarmUp()
    {
        Logits([Text(1)]);
        Logits([.. Enumerable.Repeat(Text(WarmUpTokens - 2), WarmUpTexts)]);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

        int[] Text(int words) => tokenizer.Encode(string.Join(' ', Enumerable.Repeat("a", words))).TokenIds;
    }

    /// <summary>Classifies texts.</summary>
    /// <param name="inputs">At least one.</param>
    /// <exception cref="InvalidOperationException">The logits are not finite.</exception>
    public Computation Compute(IReadOnlyList<TextInput> inputs)
    {
        var started = Stopwatch.GetTimestamp();
        var texts = Tokenize(inputs);
        for (var i = 0; i < texts.Length; i++)
            if (texts[i].Truncated && inputs[i].Policy is TruncationPolicy.Refuse) return new([], Stopwatch.GetElapsedTime(started), i);

        var outputs = Infer(texts);
        var results = new Classification[texts.Length];
        for (var i = 0; i < results.Length; i++)
            results[i] = new(outputs[i], Classification.Scores(outputs[i], description.Problem), texts[i].Truncated);
        return new(results, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => logits.Dispose();

    private TokenizedText[] Tokenize(IReadOnlyList<TextInput> inputs)
    {
        using var span = WorkerTelemetry.Source.StartActivity("tokenize");
        var texts = new TokenizedText[inputs.Count];
        for (var i = 0; i < texts.Length; i++)
        {
            var side = inputs[i].Policy is TruncationPolicy.Left ? TruncationSide.Left : TruncationSide.Right;
            texts[i] = inputs[i].Pair is { } pair
                ? tokenizer.EncodePair(inputs[i].Text, pair, side)
                : tokenizer.Encode(inputs[i].Text, side);
        }

        span?.SetTag("lab.token_count", TokenCount(texts));
        span?.SetTag("lab.truncated", texts.Any(text => text.Truncated));
        return texts;
    }

    private float[][] Infer(TokenizedText[] texts)
    {
        using var span = WorkerTelemetry.Source.StartActivity("inference");
        span?.SetTag("lab.batch_size", texts.Length);
        span?.SetTag("lab.token_count", TokenCount(texts));
        var started = Stopwatch.GetTimestamp();
        var outputs = Logits(Array.ConvertAll(texts, text => text.TokenIds));
        telemetry.Computed(Stopwatch.GetElapsedTime(started), texts.Length);
        return outputs;
    }

    private float[][] Logits(int[][] texts)
    {
        var outputs = logits.ComputeLogits(texts);
        return Array.TrueForAll(outputs, output => Array.TrueForAll(output, float.IsFinite))
            ? outputs
            : throw new InvalidOperationException($"The model {description.Name} gives logits that are not finite.");
    }

    private static int TokenCount(TokenizedText[] texts) => texts.Sum(text => text.TokenIds.Length);
}

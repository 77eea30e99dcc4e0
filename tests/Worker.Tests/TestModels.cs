using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.Tests;

/// <summary>Shapes and directories of models that tests use.</summary>
internal static class TestModels
{
    /// <summary>Wide enough for logits to differ clearly between texts.</summary>
    public const float Spread = 0.25f;

    public static DistilBertConfig Small { get; } = new()
    {
        Dim = 16,
        HiddenDim = 40,
        Heads = 2,
        Layers = 2,
        MaxPositions = 24,
        VocabSize = 150,
        Labels = ["NEGATIVE", "NEUTRAL", "POSITIVE"],
    };

    /// <summary>The bundled model.</summary>
    public static string Bundled { get; } = Path.Combine(AppContext.BaseDirectory, "Models", "tiny-sst2");

    /// <summary>A session in memory, as the worker opens it.</summary>
    public static DistilBertSession Open(string directory, DistilBertConfig config, SessionSettings settings) =>
        new SessionFactory(new(cache: null, Processor.Current, TimeProvider.System, NullLogger.Instance), NullLogger.Instance)
            .Open(config, DistilBertWeights.Open(directory, config), "", settings, TestContext.Current.CancellationToken);

    public static TemporaryDirectory Write(DistilBertConfig config, int seed = 1, StoredType type = StoredType.F32)
    {
        var directory = new TemporaryDirectory();
        RandomModelDirectory.Write(directory.Path, config, seed, type, Spread);
        return directory;
    }
}

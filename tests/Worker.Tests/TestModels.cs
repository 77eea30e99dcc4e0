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

    public static EncoderConfig Small { get; } = new()
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
    public static string Bundled { get; } = Path.Combine(AppContext.BaseDirectory, "Models", "minilm-sst2");

    /// <summary>Where tests keep compiled models: beside what was built, and not in the user's home.</summary>
    public static string CacheDirectory { get; } = Path.Combine(AppContext.BaseDirectory, "compiled");

    /// <summary>A session over the bundled model out of the tests' cache, as the worker opens it.</summary>
    public static ClassifierSession OpenBundled(SessionSettings settings)
    {
        var cache = new ModelCache(CacheDirectory, maxBytes: 1 << 30, TimeSpan.FromMinutes(5), TimeProvider.System);
        var files = ModelFiles.Read(Bundled);
        return new SessionFactory(new(cache, Processor.Current, TimeProvider.System, NullLogger.Instance), NullLogger.Instance)
            .Open(files.Config, files.Weights, files.Sha256, settings, TestContext.Current.CancellationToken);
    }

    /// <summary>A session in memory, as the worker opens it.</summary>
    public static ClassifierSession Open(string directory, EncoderConfig config, SessionSettings settings) =>
        new SessionFactory(new(cache: null, Processor.Current, TimeProvider.System, NullLogger.Instance), NullLogger.Instance)
            .Open(config, EncoderWeights.Open(directory, config), "", settings, TestContext.Current.CancellationToken);

    /// <summary>Puts a file of the same content in a file's place.</summary>
    public static void Replace(string path)
    {
        File.Copy(path, path + ".new");
        File.Move(path + ".new", path, overwrite: true);
    }

    public static TemporaryDirectory Write(EncoderConfig config, int seed = 1, StoredType type = StoredType.F32)
    {
        var directory = new TemporaryDirectory();
        RandomModelDirectory.Write(directory.Path, config, seed, type, Spread);
        return directory;
    }
}

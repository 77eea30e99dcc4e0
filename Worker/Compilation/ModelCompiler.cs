using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lab.Worker.Checkpoints;
using Lab.Worker.Graphs;
using Microsoft.ML.OnnxRuntime;

namespace Lab.Worker.Compilation;

/// <summary>
/// Compiles a model directory's weights for this processor into the cache: ONNX Runtime optimises the graph and arranges
/// the weights as its kernels want them, once for all workers of the host.
/// </summary>
/// <param name="cache">Compiled models, or null for none.</param>
/// <param name="processor">What is compiled for.</param>
/// <param name="time">Tells how long it takes.</param>
/// <param name="logger">Is told when a model is compiled.</param>
internal sealed partial class ModelCompiler(ModelCache? cache, Processor processor, TimeProvider time, ILogger logger)
{
    /// <summary>
    /// Weights of fewer bytes than this are compiled in memory at each start, which takes less time than to read and
    /// verify a file.
    /// </summary>
    public const long MinCachedBytes = 16 << 20;

    private const string ModelFile = "model.onnx";
    private const string WeightsFile = "model.weights";

    // A change of the graph needs another name for what was compiled before.
    private const string GraphVersion = "7";

    // Floats in what is compiled, and again in what it becomes, which the runtime's kernels want filled up to whole blocks.
    private const int BytesForEach = 10;
    private const long BytesForGraph = 4 << 20;

    /// <summary>The weights' size in bytes from which the cache is used; less only in tests.</summary>
    public long CachedFrom { get; init; } = MinCachedBytes;

    /// <summary>The file of a compiled model in its cache entry.</summary>
    public static string ModelIn(string entry) => Path.Combine(entry, ModelFile);

    /// <summary>How many bytes compiling takes up at most, whatever the weights are stored as.</summary>
    public static long RoomFor(EncoderConfig config) =>
        BytesForGraph + BytesForEach * EncoderTensors.Of(config).Sum(tensor => tensor.Shape.Aggregate(1L, (product, dimension) => product * dimension));

    /// <summary>Whether weights are compiled into the cache rather than in memory at each start.</summary>
    public bool UsesCache(EncoderWeights weights) => cache is not null && weights.FileBytes >= CachedFrom;

    /// <summary>Puts a model into the cache if it is not there, and returns its entry's directory and whether it was there.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The model's weights.</param>
    /// <param name="sha256">SHA-256 of the weights' file.</param>
    /// <param name="precision">What it is to be computed with.</param>
    /// <param name="probe">Computes once with the compiled model at this path; nothing goes into the cache with which it throws.</param>
    /// <param name="cancellationToken">Ends the wait for another process that compiles the same model.</param>
    /// <exception cref="IOException">The cache cannot be used.</exception>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public (string Entry, bool WasThere) CompileToCache(
        EncoderConfig config, EncoderWeights weights, string sha256, Precision precision, Action<string> probe, CancellationToken cancellationToken = default)
    {
        var wasThere = true;
        var entry = cache!.GetOrAdd(Key(config, sha256, precision), making =>
        {
            wasThere = false;
            Compile(config, weights, precision, making, probe);
        }, cancellationToken);
        return (entry, wasThere);
    }

    /// <summary>Takes a model out of the cache.</summary>
    public void Remove(EncoderConfig config, string sha256, Precision precision, CancellationToken cancellationToken = default) =>
        cache!.Remove(Key(config, sha256, precision), cancellationToken);

    /// <summary>The largest magnitude of 8-bit weights, or null where weights stay floats.</summary>
    public int? Levels(Precision precision) => precision is Precision.Int8 ? processor.Levels : null;

    /// <summary>The name of the cache entry: everything that the compiled files depend on.</summary>
    public string Key(EncoderConfig config, string sha256, Precision precision)
    {
        var parts = string.Create(CultureInfo.InvariantCulture,
            $"{GraphVersion}|{sha256}|{config.Dim}|{config.HiddenDim}|{config.Heads}|{config.Layers}|{config.MaxPositions}|{config.VocabSize}|{config.Activation}|{config.Labels.Count}|{precision}|{Levels(precision)}|{OnnxRuntimeProcess.Version}|{processor.Features}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parts)))[..32];
    }

    private void Compile(EncoderConfig config, EncoderWeights weights, Precision precision, string directory, Action<string> probe)
    {
        var started = time.GetTimestamp();
        var source = Path.Combine(directory, "source.onnx");
        const string sourceWeights = "source.weights";
        // A full disk is found out before the runtime writes to it: the runtime might not notice.
        var needed = RoomFor(config);
        if (new DriveInfo(directory).AvailableFreeSpace is var free && free < needed)
            throw new IOException($"{directory} has room for {free >> 20} MB; compiling takes up to {needed >> 20} MB");
        ClassifierGraph.Build(config, weights, Levels(precision)).Save(source, sourceWeights);
        // The entry's name has the hash of what was there before.
        weights.CheckUnchanged();
        Optimise(source, ModelIn(directory));
        File.Delete(source);
        File.Delete(Path.Combine(directory, sourceWeights));
        probe(ModelIn(directory));
        var elapsed = time.GetElapsedTime(started);
        LogCompiled(weights.Directory, precision, elapsed.TotalSeconds);
    }

    private static void Optimise(string source, string target)
    {
        OnnxRuntimeProcess.DisableTelemetry();
        using var options = OnnxRuntimeProcess.Options(threads: 1, GraphOptimizationLevel.ORT_ENABLE_ALL);
        options.OptimizedModelFilePath = target;
        options.AddSessionConfigEntry("session.optimized_model_external_initializers_file_name", WeightsFile);
        options.AddSessionConfigEntry("session.save_external_prepacked_constant_initializers", "1");
        using var session = new InferenceSession(source, options);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Compiled {Directory} to {Precision} for this processor in {Seconds:F2} s")]
    private partial void LogCompiled(string directory, Precision precision, double seconds);
}

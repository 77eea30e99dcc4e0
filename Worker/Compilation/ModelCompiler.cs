using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lab.Worker.Inference;
using Lab.Worker.ModelBuilding;
using Microsoft.ML.OnnxRuntime;

namespace Lab.Worker.Compilation;

/// <summary>How a model is to be computed.</summary>
/// <param name="Precision">The numbers that are computed with.</param>
/// <param name="Threads">Threads that work on one computation.</param>
/// <param name="Deterministic">Whether each text is computed alone, so that its answer cannot depend on its batch.</param>
internal sealed record SessionSettings(Precision Precision = Precision.Fp32, int Threads = 1, bool Deterministic = false);

/// <summary>
/// Makes of a model directory's weights the best session for this processor: out of the cache where it is worth it, and
/// in memory where it is not or where there is no cache.
/// </summary>
/// <param name="cache">Compiled models, or null for none.</param>
/// <param name="processor">What is compiled for.</param>
/// <param name="logger">Is told when a model is compiled, and when the cache cannot be used.</param>
internal sealed partial class ModelCompiler(ModelCache? cache, Processor processor, ILogger logger)
{
    /// <summary>
    /// Weights of fewer bytes than this are compiled in memory at each start, which takes less time than to read and
    /// verify a file.
    /// </summary>
    public const long SmallestCached = 64 << 20;

    private const string ModelFile = "model.onnx";
    private const string WeightsFile = "model.weights";

    // A change of the graph needs another name for what was compiled before.
    private const string GraphVersion = "4";

    /// <summary>The weights' size in bytes from which the cache is used; less only in tests.</summary>
    public long CachedFrom { get; init; } = SmallestCached;

    /// <summary>The file of a compiled model in its cache entry.</summary>
    public static string ModelIn(string entry) => Path.Combine(entry, ModelFile);

    /// <summary>Opens a session.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The model's weights, owned by the session from now on, even if it cannot be opened.</param>
    /// <param name="sha256">SHA-256 of the weights' file.</param>
    /// <param name="settings">How it is to be computed.</param>
    /// <param name="cancellation">Ends the wait for another process that compiles the same model.</param>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public DistilBertSession Open(
        DistilBertConfig config, DistilBertWeights weights, string sha256, SessionSettings settings, CancellationToken cancellation = default)
    {
        try
        {
            if (cache is not null && weights.FileBytes >= CachedFrom)
            {
                var session = OpenCached(cache, config, weights, sha256, settings, cancellation);
                weights.Dispose();
                return session;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TimeoutException or OnnxRuntimeException)
        {
            var reason = e.Message.ReplaceLineEndings(" ");
            LogNoCache(reason);
        }
        catch
        {
            weights.Dispose();
            throw;
        }

        return DistilBertSession.Open(config, weights, settings, Levels(settings.Precision));
    }

    // An entry that is what was written and that the runtime will not open has been wrong from the start: it is made
    // again, once. A new one that will not open either is no matter of the cache.
    private DistilBertSession OpenCached(
        ModelCache models, DistilBertConfig config, DistilBertWeights weights, string sha256, SessionSettings settings, CancellationToken cancellation)
    {
        var key = Key(config, sha256, settings.Precision);
        for (var isNew = false; ;)
        {
            var entry = models.GetOrAdd(key, making =>
            {
                isNew = true;
                Compile(config, weights, settings.Precision, making);
            }, cancellation);
            try
            {
                return DistilBertSession.OpenCompiled(ModelIn(entry), config, settings);
            }
            catch (OnnxRuntimeException e) when (!isNew)
            {
                var reason = e.Message.ReplaceLineEndings(" ");
                LogReplaced(entry, reason);
                models.Remove(key, cancellation);
            }
        }
    }

    /// <summary>Puts a model into the cache if it is not there, and returns its entry's directory and whether it was there.</summary>
    /// <exception cref="IOException">The cache cannot be used.</exception>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public (string Entry, bool WasThere) CompileToCache(DistilBertConfig config, DistilBertWeights weights, string sha256, Precision precision)
    {
        var wasThere = true;
        var entry = cache!.GetOrAdd(Key(config, sha256, precision), making =>
        {
            wasThere = false;
            Compile(config, weights, precision, making);
        });
        return (entry, wasThere);
    }

    /// <summary>The largest magnitude of 8-bit weights, or null where weights stay floats.</summary>
    public int? Levels(Precision precision) => precision is Precision.Int8 ? processor.Levels : null;

    /// <summary>The name of the cache entry: everything that the compiled files depend on.</summary>
    public string Key(DistilBertConfig config, string sha256, Precision precision)
    {
        var parts = string.Create(CultureInfo.InvariantCulture,
            $"{GraphVersion}|{sha256}|{config.Dim}|{config.HiddenDim}|{config.Heads}|{config.Layers}|{config.MaxPositions}|{config.VocabSize}|{config.Activation}|{config.Labels.Count}|{precision}|{Levels(precision)}|{OnnxRuntimeProcess.Version}|{processor.Features}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parts)))[..32];
    }

    private void Compile(DistilBertConfig config, DistilBertWeights weights, Precision precision, string directory)
    {
        var started = Stopwatch.GetTimestamp();
        var source = Path.Combine(directory, "source.onnx");
        const string sourceWeights = "source.weights";
        // A full disk is found out before the runtime writes to it: the runtime might not notice.
        var needed = 4 * weights.FileBytes;
        if (new DriveInfo(directory).AvailableFreeSpace is var free && free < needed)
            throw new IOException($"{directory} has room for {free >> 20} MB; compiling takes up to {needed >> 20} MB");
        DistilBertGraph.Build(config, weights, Levels(precision)).Save(source, sourceWeights);
        DistilBertSession.Compile(source, ModelIn(directory), WeightsFile);
        File.Delete(source);
        File.Delete(Path.Combine(directory, sourceWeights));
        // Nothing goes into the cache that has not worked once.
        using (var session = DistilBertSession.OpenCompiled(ModelIn(directory), config, new(precision)))
        {
            if (!Array.TrueForAll(session.ComputeLogits([[0, 1]])[0], float.IsFinite))
                throw new ModelDirectoryException(weights.Directory, "gives logits that are not finite");
        }

        var elapsed = Stopwatch.GetElapsedTime(started);
        LogCompiled(weights.Directory, precision, elapsed.TotalSeconds);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Compiled {Directory} to {Precision} for this processor in {Seconds:F2} s")]
    private partial void LogCompiled(string directory, Precision precision, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The compiled model {Entry} cannot be opened and is made again: {Reason}")]
    private partial void LogReplaced(string entry, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No cache for compiled models: {Reason}. This worker compiles in its own memory.")]
    private partial void LogNoCache(string reason);
}

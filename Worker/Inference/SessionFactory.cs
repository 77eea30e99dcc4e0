using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Microsoft.ML.OnnxRuntime;

namespace Lab.Worker.Inference;

/// <summary>
/// Opens the best session for this processor over a model directory's weights: out of the cache where it is worth it, and
/// in memory where it is not or where there is no cache.
/// </summary>
/// <param name="compiler">Compiles for this processor.</param>
/// <param name="logger">Is told when the cache cannot be used.</param>
internal sealed partial class SessionFactory(ModelCompiler compiler, ILogger logger)
{
    /// <summary>Opens a session.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The model's weights, owned by the session from now on, even if it cannot be opened.</param>
    /// <param name="sha256">SHA-256 of the weights' file.</param>
    /// <param name="settings">How it is to be computed.</param>
    /// <param name="cancellationToken">Ends the wait for another process that compiles the same model.</param>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public ClassifierSession Open(
        EncoderConfig config, EncoderWeights weights, string sha256, SessionSettings settings, CancellationToken cancellationToken = default)
    {
        try
        {
            if (compiler.UsesCache(weights))
            {
                var session = OpenCached(config, weights, sha256, settings, cancellationToken);
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

        return ClassifierSession.Open(config, weights, settings, compiler.Levels(settings.Precision));
    }

    /// <summary>Puts a model into the cache if it is not there, and returns its entry's directory and whether it was there.</summary>
    /// <exception cref="IOException">The cache cannot be used.</exception>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public (string Entry, bool WasThere) CompileToCache(
        EncoderConfig config, EncoderWeights weights, string sha256, Precision precision, CancellationToken cancellationToken = default) =>
        compiler.CompileToCache(config, weights, sha256, precision, compiled => Probe(compiled, config, weights, precision), cancellationToken);

    // An entry that is what was written and that the runtime will not open has been wrong from the start: it is made
    // again, once. A new one that will not open either is no matter of the cache.
    private ClassifierSession OpenCached(
        EncoderConfig config, EncoderWeights weights, string sha256, SessionSettings settings, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (entry, wasThere) = CompileToCache(config, weights, sha256, settings.Precision, cancellationToken);
            try
            {
                return ClassifierSession.OpenCompiled(ModelCompiler.ModelIn(entry), config, settings);
            }
            catch (OnnxRuntimeException e) when (wasThere)
            {
                var reason = e.Message.ReplaceLineEndings(" ");
                LogReplaced(entry, reason);
                compiler.Remove(config, sha256, settings.Precision, cancellationToken);
            }
        }
    }

    // Nothing goes into the cache that has not worked once.
    private static void Probe(string compiled, EncoderConfig config, EncoderWeights weights, Precision precision)
    {
        using var session = ClassifierSession.OpenCompiled(compiled, config, new(precision));
        if (!Array.TrueForAll(session.ComputeLogits([[0, 1]])[0], float.IsFinite))
            throw new ModelDirectoryException(weights.Directory, "gives logits that are not finite");
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The compiled model {Entry} cannot be opened and is made again: {Reason}")]
    private partial void LogReplaced(string entry, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No cache for compiled models: {Reason}. This worker compiles in its own memory.")]
    private partial void LogNoCache(string reason);
}

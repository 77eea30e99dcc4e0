using System.Globalization;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.ModelCommands;

/// <summary>
/// A model as a worker of this host would open it: out of the cache where it is there, else compiled as for the cache, into
/// a temporary directory that is gone with this object; small ones in memory.
/// </summary>
internal sealed class BuiltModel : IDisposable
{
    private DirectoryInfo? _temporary;

    private BuiltModel()
    {
    }

    /// <summary>A session over it.</summary>
    public ClassifierSession Session { get; private set; } = null!;

    /// <summary>The directory of the files that it maps, or null where all of it is in memory.</summary>
    public string? MappedDirectory { get; private set; }

    /// <summary>Where workers will find it compiled, and how large that is, in words.</summary>
    public string Entry { get; private set; } = "none: workers compile it in memory";

    /// <summary>Builds a model, and computes once with it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="weights">Its weights, which the caller keeps.</param>
    /// <param name="sha256">Their hash.</param>
    /// <param name="precision">What it is computed with.</param>
    /// <param name="options">Where the cache is.</param>
    /// <param name="cancellationToken">Ends it between two steps.</param>
    /// <exception cref="ModelDirectoryException">A weight or a logit is not finite.</exception>
    public static BuiltModel Build(
        LoadedModel model, EncoderWeights weights, string sha256, Precision precision, WorkerOptions options, CancellationToken cancellationToken)
    {
        var built = new BuiltModel();
        try
        {
            built.Open(model, weights, sha256, precision, options, cancellationToken);
            // Numbers can be finite, and their sums not.
            if (!Array.TrueForAll(built.Session.ComputeLogits([model.Tokenizer.Encode("a")])[0], float.IsFinite))
                throw new ModelDirectoryException(model.Path, "gives logits that are not finite");
            return built;
        }
        catch
        {
            built.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Session?.Dispose();
        _temporary?.Delete(recursive: true);
        _temporary = null;
    }

    private void Open(LoadedModel model, EncoderWeights weights, string sha256, Precision precision, WorkerOptions options, CancellationToken cancellationToken)
    {
        var settings = new SessionSettings(precision);
        if (weights.FileBytes >= ModelCompiler.MinCachedBytes && OpenCache(options) is { } cache)
        {
            var key = Compiler(cache).Key(model.Config, sha256, precision);
            try
            {
                if (cache.Find(key) is { } entry) Map(entry, "there already");
                else Map(Compile(model, weights, sha256, precision, cancellationToken), "not there yet");
                Session = ClassifierSession.OpenCompiled(ModelCompiler.ModelIn(MappedDirectory!), model.Config, settings);
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Entry = $"not tried, since {e.Message.ReplaceLineEndings(" ")}";
            }

            void Map(string directory, string there)
            {
                MappedDirectory = directory;
                Entry = string.Create(CultureInfo.InvariantCulture,
                    $"{key}, {Directory.EnumerateFiles(directory).Sum(file => new FileInfo(file).Length) / 1e6:F1} MB, {there} in {options.CacheDirectory ?? ModelCache.DefaultDirectory}");
            }
        }

        Session = model.Open(settings);
    }

    private string Compile(LoadedModel model, EncoderWeights weights, string sha256, Precision precision, CancellationToken cancellationToken)
    {
        _temporary = Directory.CreateTempSubdirectory("lab-check-");
        var cache = new ModelCache(_temporary.FullName, long.MaxValue, TimeSpan.Zero, TimeProvider.System);
        return new SessionFactory(Compiler(cache), NullLogger.Instance).CompileToCache(model.Config, weights, sha256, precision, cancellationToken).Entry;
    }

    private static ModelCache? OpenCache(WorkerOptions options) => options.OpenCache(TimeProvider.System);

    private static ModelCompiler Compiler(ModelCache cache) => new(cache, Processor.Current, TimeProvider.System, NullLogger.Instance);
}

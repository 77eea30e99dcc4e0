using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Worker.Tests.Inference;

public sealed class SessionFactoryTests : IDisposable
{
    private static readonly int[][] Texts = [[2, 50, 60, 3], [2, 7, 3], [2, 50, 60, 70, 80, 3]];

    private readonly TemporaryDirectory _cache = new();
    private readonly TemporaryDirectory _model = TestModels.Write(TestModels.Small);
    private readonly RememberedLog _log = new();

    // Compiling asks twice.
    private readonly FakeTimeProvider _time = new() { AutoAdvanceAmount = TimeSpan.FromSeconds(90) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _cache.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData("Int8")]
    [InlineData("Fp32")]
    public void Open_FromTheCache_ComputesTheSameAsInMemory(string precisionName)
    {
        var precision = Enum.Parse<Precision>(precisionName);
        using var inMemory = TestModels.Open(_model.Path, TestModels.Small, new(precision));
        using var compiled = Open(precision);
        using var again = Open(precision);

        Assert.Equal(inMemory.ComputeLogits(Texts), compiled.ComputeLogits(Texts));
        Assert.Equal(inMemory.ComputeLogits(Texts), again.ComputeLogits(Texts));
        Assert.Equal($"Compiled {_model.Path} to {precisionName} for this processor in 90.00 s", Assert.Single(_log.Lines));
    }

    /// <summary>The runtime is free to rearrange what it optimises: the table of words must stay as small as it was given.</summary>
    [Theory]
    [InlineData("Int8", 2)]
    [InlineData("Fp32", 4)]
    public void Open_ManyWords_TakesTwoBytesForEachNumberBesideEightBitWeights(string precisionName, int bytes)
    {
        var (few, many) = (TestModels.Small, TestModels.Small with { VocabSize = 20 * TestModels.Small.VocabSize });
        using var larger = TestModels.Write(many);
        using (Open(Enum.Parse<Precision>(precisionName), config: few))
        using (Open(Enum.Parse<Precision>(precisionName), config: many, model: larger))
        {
            var sizes = Directory.EnumerateFiles(_cache.Path, "model.weights", SearchOption.AllDirectories).Select(file => new FileInfo(file).Length).Order().ToList();
            Assert.Equal(2, sizes.Count);
            Assert.InRange((double)(sizes[1] - sizes[0]) / ((many.VocabSize - few.VocabSize) * few.Dim), bytes - 0.01, bytes + 0.2);
        }
    }

    [Fact]
    public void Open_DamagedEntry_IsCompiledAgain()
    {
        float[][] expected;
        using (var compiled = Open(Precision.Int8)) expected = compiled.ComputeLogits(Texts);
        var weights = Assert.Single(Directory.EnumerateFiles(_cache.Path, "model.weights", SearchOption.AllDirectories));
        using (var file = File.OpenWrite(weights))
        {
            file.Position = file.Length / 2;
            file.Write([0xAB, 0xCD, 0xEF]);
        }

        using var again = Open(Precision.Int8);

        Assert.Equal(expected, again.ComputeLogits(Texts));
        Assert.Equal(2, _log.Lines.Count);
    }

    [Fact]
    public void Open_EntryThatIsWholeAndCannotBeOpened_IsCompiledAgain()
    {
        float[][] expected;
        using (var compiled = Open(Precision.Int8)) expected = compiled.ComputeLogits(Texts);
        var model = Assert.Single(Directory.EnumerateFiles(_cache.Path, "model.onnx", SearchOption.AllDirectories));
        File.WriteAllBytes(model, [1, 2, 3]);
        File.Delete(CacheManifest.PathIn(Path.GetDirectoryName(model)!));
        CacheManifest.Write(Path.GetDirectoryName(model)!);

        using (var again = Open(Precision.Int8)) Assert.Equal(expected, again.ComputeLogits(Texts));
        using (var atLast = Open(Precision.Int8)) Assert.Equal(expected, atLast.ComputeLogits(Texts));

        Assert.Equal(["Compiled", "The compiled model", "Compiled"], _log.Lines.Select(line => line[..Math.Min(line.IndexOf(" /", StringComparison.Ordinal), line.Length)]));
    }

    [Fact]
    public void Open_NoCacheCanBeMade_CompilesInMemoryAndSaysSoOnce()
    {
        using var session = Open(Precision.Int8, Path.Combine(_model.File("config.json"), "no", "directory"));

        Assert.Equal(Texts.Length, session.ComputeLogits(Texts).Length);
        Assert.Contains("No cache for compiled models", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_SmallModel_LeavesTheCacheAlone()
    {
        using var session = new SessionFactory(new(Cache(_cache.Path), Processor.Current, _time, _log), _log)
            .Open(TestModels.Small, EncoderWeights.Open(_model.Path, TestModels.Small), "0", new(), Cancellation);

        Assert.Empty(Directory.EnumerateFileSystemEntries(_cache.Path));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void Open_WeightNotFinite_NamesItAndLeavesNothing()
    {
        SafetensorsWriter.Write(_model.File("model.safetensors"), [.. EncoderTensors.Of(TestModels.Small)], StoredType.F32,
            (tensor, values) => values.Fill(tensor.Name == "transformer.layer.1.ffn.lin1.weight" ? float.NaN : 0.5f));

        var error = Assert.Throws<ModelDirectoryException>(() => Open(Precision.Int8));

        Assert.Contains("transformer.layer.1.ffn.lin1.weight\": element 0 is not a number", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(_cache.Path));
    }

    private ClassifierSession Open(Precision precision, string? cache = null, EncoderConfig? config = null, TemporaryDirectory? model = null)
    {
        config ??= TestModels.Small;
        return new SessionFactory(new(Cache(cache ?? _cache.Path), Processor.Current, _time, _log) { CachedFrom = 0 }, _log)
            .Open(config, EncoderWeights.Open((model ?? _model).Path, config), "0", new(precision), Cancellation);
    }

    private static ModelCache Cache(string directory) => new(directory, 1 << 30, TimeSpan.FromSeconds(60), TimeProvider.System);

    private sealed class RememberedLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}

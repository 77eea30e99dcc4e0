using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Graphs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.Tests.Compilation;

public sealed class ModelCompilerTests
{
    [Fact]
    public void Key_WhateverTheFilesDependOn_IsInIt()
    {
        var here = new ModelCompiler(null, new("x64-1", Saturates: false), TimeProvider.System, NullLogger.Instance);
        string[] keys =
        [
            here.Key(TestModels.Small, "0", Precision.Int8),
            here.Key(TestModels.Small, "0", Precision.Fp32),
            here.Key(TestModels.Small, "1", Precision.Int8),
            here.Key(TestModels.Small with { Heads = 4 }, "0", Precision.Int8),
            new ModelCompiler(null, new("x64-2", Saturates: false), TimeProvider.System, NullLogger.Instance).Key(TestModels.Small, "0", Precision.Int8),
            new ModelCompiler(null, new("x64-1", Saturates: true), TimeProvider.System, NullLogger.Instance).Key(TestModels.Small, "0", Precision.Int8),
        ];

        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], here.Key(TestModels.Small with { }, "0", Precision.Int8));
    }

    [Fact]
    public async Task Compile_EightProgramsAtOnce_OneCompiles()
    {
        using var cache = new TemporaryDirectory();
        using var model = TestModels.Write(TestModels.Small);
        var programs = Enumerable.Range(0, 8).Select(_ => WorkerProgram.RunAsync("model", "compile", model.Path, "--cache", cache.File("models")));

        var results = await Task.WhenAll(programs);

        Assert.All(results, result => Assert.Equal((0, ""), (result.Code, result.Error)));
        Assert.Single(results, result => result.Output.Contains(", compiled, ", StringComparison.Ordinal));
        Assert.Equal(7, results.Count(result => result.Output.Contains(", was there and is whole, ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("F16", "Fp32", 20)]
    [InlineData("F16", "Int8", 64)]
    [InlineData("BF16", "Fp32", 64)]
    [InlineData("F32", "Fp32", 96)]
    [InlineData("F32", "Int8", 20)]
    public void RoomFor_AnyTypeAndPrecision_IsEnough(string type, string precision, int dim)
    {
        var config = TestModels.Small with { Dim = dim, HiddenDim = 4 * dim, VocabSize = 5_000, Layers = 12 };
        using var model = TestModels.Write(config, type: Enum.Parse<StoredType>(type));
        using var files = new TemporaryDirectory();
        using var weights = EncoderWeights.Open(model.Path, config);
        var cache = new ModelCache(files.File("models"), 1 << 30, TimeSpan.FromMinutes(1), TimeProvider.System);
        var compiler = new ModelCompiler(cache, Processor.Current, TimeProvider.System, NullLogger.Instance);
        ClassifierGraph.Build(config, weights, compiler.Levels(Enum.Parse<Precision>(precision))).Save(files.File("source.onnx"), "source.weights");

        compiler.CompileToCache(config, weights, "0", Enum.Parse<Precision>(precision), _ => { }, TestContext.Current.CancellationToken);

        var taken = Directory.EnumerateFiles(files.Path, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        Assert.InRange(taken, 0, ModelCompiler.RoomFor(config));
    }
}

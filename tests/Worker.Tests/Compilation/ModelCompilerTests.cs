using Lab.Worker.Compilation;
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
}

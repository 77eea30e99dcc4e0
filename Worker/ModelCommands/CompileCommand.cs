using System.CommandLine;
using System.Globalization;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.ModelCommands;

/// <summary><c>model compile</c>: fills the cache before the first worker starts.</summary>
internal static class CompileCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = ModelArguments.Directory();
        var precision = ModelArguments.Precision();
        var cache = new Option<string?>("--cache") { Description = "The cache's directory, as in Worker__CacheDirectory." };
        var command = new Command("compile", "Compiles a model for this processor into the cache.") { directory, precision, cache };
        command.SetAction(parse => ModelCommand.GuardAsync(() => Run(parse.GetRequiredValue(directory), parse.GetValue(precision), parse.GetValue(cache))));
        return command;
    }

    private static int Run(string directory, Precision precision, string? cacheDirectory)
    {
        var model = LoadedModel.Read(directory);
        var cache = new WorkerOptions { CacheDirectory = cacheDirectory }.OpenCache(TimeProvider.System)
            ?? throw new IOException("there is no cache: --cache names none, and the user has no home directory");
        using var weights = EncoderWeights.Open(model.Path, model.Config);
        var started = TimeProvider.System.GetTimestamp();
        var (entry, wasThere) = new SessionFactory(new(cache, Processor.Current, TimeProvider.System, NullLogger.Instance), NullLogger.Instance)
            .CompileToCache(model.Config, weights, weights.Sha256(), precision);
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var megabytes = Directory.EnumerateFiles(entry).Sum(file => new FileInfo(file).Length) >> 20;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{entry}: {megabytes} MiB, {(wasThere ? "was there and is whole" : "compiled")}, {seconds:F2} s"));
        if (weights.FileBytes < ModelCompiler.MinCachedBytes)
            Console.WriteLine($"Workers do not use it: weights of less than {ModelCompiler.MinCachedBytes >> 20} MiB are compiled faster than read.");
        return 0;
    }
}

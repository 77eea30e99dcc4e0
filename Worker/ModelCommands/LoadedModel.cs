using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Lab.Worker.Tokenization;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.ModelCommands;

/// <summary>A model directory as the commands read it: everything but the network, which each opens as it needs it.</summary>
internal sealed class LoadedModel
{
    private LoadedModel(string path, EncoderConfig config, ITokenizer tokenizer, TokenizerDescription tokens)
    {
        Path = path;
        Config = config;
        Tokenizer = tokenizer;
        Tokens = tokens;
    }

    /// <summary>The directory's absolute path.</summary>
    public string Path { get; }

    /// <summary>The model's shape.</summary>
    public EncoderConfig Config { get; }

    /// <summary>The tokeniser.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>The tokeniser in words.</summary>
    public TokenizerDescription Tokens { get; }

    /// <summary>Reads a directory.</summary>
    /// <exception cref="ModelDirectoryException">It cannot be served.</exception>
    public static LoadedModel Read(string directory)
    {
        var path = System.IO.Path.GetFullPath(directory);
        if (!Directory.Exists(path)) throw new ModelDirectoryException(path, "is not a directory");
        var config = EncoderConfig.Read(path);
        var tokenizer = Tokenizers.Read(path, config, out var tokens);
        return new(path, config, tokenizer, tokens);
    }

    /// <summary>Checks all of a directory but the weights' numbers: the files, and the weights' names, shapes and types.</summary>
    /// <exception cref="ModelDirectoryException">It cannot be served.</exception>
    public static void Check(string directory)
    {
        var model = Read(directory);
        EncoderWeights.Open(model.Path, model.Config).Dispose();
    }

    /// <summary>Opens a session in memory.</summary>
    /// <exception cref="ModelDirectoryException">It cannot be served.</exception>
    public ClassifierSession Open(SessionSettings settings) =>
        new SessionFactory(new(cache: null, Processor.Current, TimeProvider.System, NullLogger.Instance), NullLogger.Instance)
            .Open(Config, EncoderWeights.Open(Path, Config), "", settings);
}

using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tokenization;

/// <summary>The tokenizers of model directories.</summary>
internal static class Tokenizers
{
    /// <summary>Reads the tokenizer of a directory.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="config">The model's shape.</param>
    /// <exception cref="ModelDirectoryException">A file is missing or unreadable, contradicts another, or asks for what is not supported.</exception>
    public static ITokenizer Read(string directory, EncoderConfig config)
    {
        if (config.Tokenizer is not TokenizerKind.WordPiece)
            throw new ModelDirectoryException(Path.Combine(directory, EncoderConfig.FileName), $"model_type is \"{config.Architecture}\", whose tokenizer cannot be read yet");
        var (vocabulary, tokenizerConfig) = TokenizerFiles.Read(directory, config.VocabSize);
        return new BertTokenizer(vocabulary, tokenizerConfig, config.MaxPositions);
    }
}

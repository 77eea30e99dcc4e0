using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tokenization;

/// <summary>The tokenisers that there are.</summary>
internal static class Tokenizers
{
    /// <summary>Reads the tokeniser's files of a model directory.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="config">Which kind it is, and the model's number of positions and of words.</param>
    /// <exception cref="ModelDirectoryException">A file is missing or unreadable, contradicts another, or asks for what is not supported.</exception>
    public static ITokenizer Read(string directory, EncoderConfig config) => Read(directory, config, out _);

    /// <summary>Reads the tokeniser's files of a model directory.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="config">Which kind it is, and the model's number of positions and of words.</param>
    /// <param name="description">How many tokens there are, and of which kind, in words.</param>
    /// <exception cref="ModelDirectoryException">A file is missing or unreadable, contradicts another, or asks for what is not supported.</exception>
    public static ITokenizer Read(string directory, EncoderConfig config, out string description)
    {
        if (config.Tokenizer is TokenizerKind.ByteLevel)
        {
            var files = ByteLevelFiles.Read(directory, config.VocabSize);
            // transformers skips every token with this id when it counts positions; the padding alone is in no text.
            if (config.FirstPosition > 0 && files.PadId != config.PadId)
                throw new ModelDirectoryException(Path.Combine(directory, EncoderConfig.FileName), $"pad_token_id is {config.PadId}, but the tokenizer's pad_token {(files.PadId is { } id ? $"has the id {id}" : "is missing")}; they must be the same");
            description = $"{files.Vocabulary.Tokens.Count} byte-level tokens, {files.Vocabulary.Merges.Count} merges{Added(files.AddedTokens)}";
            return new ByteLevelTokenizer(files, config.MaxPositions);
        }

        var (vocabulary, settings) = TokenizerFiles.Read(directory, config.VocabSize);
        description = $"{vocabulary.Tokens.Count} word pieces, {(settings.Lowercase ? "uncased" : "cased")}{Added(settings.AddedTokens)}";
        return new BertTokenizer(vocabulary, settings, config.MaxPositions);
    }

    private static string Added(IReadOnlyList<AddedToken> tokens) => tokens.Count > 0 ? $", {tokens.Count} added tokens" : "";
}

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
    /// <param name="description">What it is, in words.</param>
    /// <exception cref="ModelDirectoryException">A file is missing or unreadable, contradicts another, or asks for what is not supported.</exception>
    public static ITokenizer Read(string directory, EncoderConfig config, out TokenizerDescription description)
    {
        if (config.Tokenizer is TokenizerKind.ByteLevel)
        {
            var files = ByteLevelFiles.Read(directory, config.VocabSize);
            // transformers skips every token with this id when it counts positions; the padding alone is in no text.
            if (config.FirstPosition > 0 && files.PadId != config.PadId)
                throw new ModelDirectoryException(Path.Combine(directory, EncoderConfig.FileName), $"pad_token_id is {config.PadId}, but the tokenizer's pad_token {(files.PadId is { } id ? $"has the id {id}" : "is missing")}; they must be the same");
            string cls = Name(files.ClsId), sep = Name(files.SepId);
            description = new($"byte-level BPE, {files.Vocabulary.Tokens.Count} tokens, {files.Vocabulary.Merges.Count} merges{Added(files.AddedTokens)}", $"{cls} A {sep}{sep} B {sep}");
            return new ByteLevelTokenizer(files, config.MaxPositions);

            // A token may have been added behind the vocabulary.
            string Name(int id) => id < files.Vocabulary.Tokens.Count ? files.Vocabulary.Tokens[id] : $"(token {id})";
        }

        var (vocabulary, settings) = TokenizerFiles.Read(directory, config.VocabSize);
        description = new(
            $"WordPiece, {vocabulary.Tokens.Count} tokens, {(settings.Lowercase ? "uncased" : "cased")}{Added(settings.AddedTokens)}",
            config.TokenTypes > 1 && settings.PairTypes ? "[CLS] A [SEP] B [SEP], in which B has tokens of type 1" : "[CLS] A [SEP] B [SEP]");
        return new BertTokenizer(vocabulary, settings, config.MaxPositions);
    }

    private static string Added(IReadOnlyList<AddedToken> tokens) => tokens.Count > 0 ? $", {tokens.Count} added {(tokens.Count == 1 ? "token" : "tokens")}" : "";
}

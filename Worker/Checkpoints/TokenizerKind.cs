namespace Lab.Worker.Checkpoints;

/// <summary>How a model's texts become tokens.</summary>
internal enum TokenizerKind
{
    /// <summary>BERT's: words, and pieces of words by a <c>vocab.txt</c>.</summary>
    WordPiece,

    /// <summary>RoBERTa's, which is GPT-2's: bytes, merged pair by pair, by a <c>vocab.json</c> and a <c>merges.txt</c>.</summary>
    ByteLevel,
}

namespace Lab.Worker.Checkpoints;

/// <summary>How a model's texts become tokens.</summary>
internal enum TokenizerKind
{
    /// <summary>BERT's: words, and the longest known pieces of each (Wu et al., arXiv:1609.08144).</summary>
    WordPiece,

    /// <summary>GPT-2's and RoBERTa's: pairs of bytes that are merged (Radford et al., 2019, section 2.2).</summary>
    ByteLevel,
}

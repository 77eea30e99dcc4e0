namespace Lab.Worker.Tokenization;

/// <summary>A text as a model reads it.</summary>
/// <param name="TokenIds">[CLS] … [SEP], or [CLS] … [SEP] … [SEP] for a pair, or what the model has in their places; 2 to the model's number of positions.</param>
/// <param name="Truncated">Whether the text had more tokens than fit, and lost some.</param>
/// <param name="SecondStart">Where the tokens of type 1 begin: a pair's second text. The number of tokens where there are none.</param>
internal sealed record TokenizedText(int[] TokenIds, bool Truncated, int SecondStart);

/// <summary>Which end of a text is kept when it is too long.</summary>
internal enum TruncationSide
{
    /// <summary>The end is cut off, the beginning kept.</summary>
    Right,

    /// <summary>The beginning is cut off, the end kept.</summary>
    Left,
}

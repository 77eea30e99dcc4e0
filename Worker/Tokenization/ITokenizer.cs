namespace Lab.Worker.Tokenization;

/// <summary>From text to the token ids that a model reads. Safe for concurrent use.</summary>
internal interface ITokenizer
{
    /// <summary>The longest result in tokens, special tokens included.</summary>
    int MaxTokens { get; }

    /// <summary>A text between special tokens, cut to <see cref="MaxTokens"/>.</summary>
    /// <param name="text">Any string, lone surrogates in it too.</param>
    /// <param name="side">The end that is cut off.</param>
    TokenizedText Encode(string text, TruncationSide side = TruncationSide.Right);

    /// <summary>
    /// Two texts between special tokens, cut to <see cref="MaxTokens"/> by taking from the longer of the two (Hugging
    /// Face's <c>longest_first</c>).
    /// </summary>
    /// <param name="first">Any string.</param>
    /// <param name="second">Any string.</param>
    /// <param name="side">The end of each that is cut off.</param>
    TokenizedText EncodePair(string first, string second, TruncationSide side = TruncationSide.Right);
}

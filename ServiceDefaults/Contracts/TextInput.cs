namespace Lab.ServiceDefaults.Contracts;

/// <summary>A text to classify, or a pair of texts to classify together.</summary>
/// <param name="Text">The text, or the first of the pair; never empty.</param>
/// <param name="Pair">The second of the pair.</param>
/// <param name="Policy">What to do when it has more tokens than the model has positions.</param>
public readonly record struct TextInput(string Text, string? Pair = null, TruncationPolicy Policy = TruncationPolicy.Right)
{
    /// <summary>The most inputs in one request.</summary>
    public const int MaxInputs = 32;
}

/// <summary>What happens to a text with more tokens than the model has positions.</summary>
public enum TruncationPolicy
{
    /// <summary>Its end is cut off.</summary>
    Right,

    /// <summary>Its beginning is cut off.</summary>
    Left,

    /// <summary>It is refused.</summary>
    Refuse,
}

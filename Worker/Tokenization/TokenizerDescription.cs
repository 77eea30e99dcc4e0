namespace Lab.Worker.Tokenization;

/// <summary>What a tokeniser is, in words.</summary>
/// <param name="Vocabulary">How many tokens there are, and of which kind.</param>
/// <param name="Pair">What stands around the two texts of a pair, and by what else they are told apart.</param>
internal sealed record TokenizerDescription(string Vocabulary, string Pair);

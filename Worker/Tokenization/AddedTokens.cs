using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tokenization;

/// <summary>A part of a text: an added token, or what stands between two.</summary>
/// <param name="Text">The part's text.</param>
/// <param name="TokenId">The added token's id, or null for any other text.</param>
/// <param name="Normalized">Whether the text has been normalised, and needs only to be split into words.</param>
internal readonly record struct TextPart(string Text, int? TokenId, bool Normalized);

/// <summary>
/// Finds added tokens in texts as Hugging Face's tokenizers do (<c>AddedVocabulary::extract_and_normalize</c>): first
/// those that are looked for in the text as it is, then in each part between them, once it is normalised, the others.
/// </summary>
internal sealed class AddedTokens
{
    private readonly BertNormalizer? _normalizer;
    private readonly TokenMatcher? _raw;
    private readonly TokenMatcher? _normalized;

    /// <summary>Added tokens of a model.</summary>
    /// <param name="tokens">At least one.</param>
    /// <param name="normalizer">The model's normaliser, or null where text is changed in nothing.</param>
    public AddedTokens(IReadOnlyList<AddedToken> tokens, BertNormalizer? normalizer = null)
    {
        _normalizer = normalizer;
        var ofRawText = tokens.Where(token => !token.Normalized).Select(token => (token.Content, token)).ToList();
        // What cleaning leaves nothing of is in no text.
        var ofNormalizedText = tokens.Where(token => token.Normalized)
            .Select(token => (Normalize(token.Content), token)).Where(pair => pair.Item1.Length > 0).ToList();
        if (ofRawText.Count > 0) _raw = new(ofRawText);
        if (ofNormalizedText.Count > 0) _normalized = new(ofNormalizedText);
    }

    /// <summary>Splits text that has been normalised, and changes nothing in it.</summary>
    public static BertNormalizer NormalizedWords { get; } = new(lowercase: false, stripAccents: false, separateIdeographs: false);

    /// <summary>The parts of a text in their order.</summary>
    public IEnumerable<TextPart> Parts(string text)
    {
        foreach (var part in Split(_raw, text, normalized: false))
        {
            if (part.TokenId is not null || _normalized is null) yield return part;
            else foreach (var inner in Split(_normalized, Normalize(part.Text), normalized: true)) yield return inner;
        }
    }

    private string Normalize(string text) => _normalizer?.NormalizeOnly(text) ?? text;

    private static IEnumerable<TextPart> Split(TokenMatcher? matcher, string text, bool normalized) =>
        matcher is null ? [new(text, null, normalized)] : matcher.Split(text, normalized);
}

using System.Text;
using Lab.Worker.Checkpoints;
using Microsoft.ML.Tokenizers;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Greedy longest-match-first WordPiece (Wu et al., arXiv:1609.08144, as in BERT's <c>tokenization.py</c>): a word is the
/// longest piece it begins with, then the longest that follows, and so on; one that cannot be made up so is [UNK] as a
/// whole. Safe for concurrent use.
/// </summary>
internal sealed class WordPieces
{
    // Two UTF-16 units for each code point of the longest word that is looked at.
    private const int MaxWordChars = 2 * WordBuffer.MaxWordLength;

    private readonly WordPieceTokenizer _pieces;

    // Most words are a piece by themselves, and one look finds them; only the others are taken apart.
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _whole;

    /// <summary>Word pieces by a vocabulary.</summary>
    public WordPieces(Vocabulary vocabulary)
    {
        _whole = vocabulary.Tokens.Index().ToDictionary(token => token.Item, token => token.Index, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', vocabulary.Tokens)), writable: false);
        _pieces = WordPieceTokenizer.Create(file, new WordPieceOptions
        {
            PreTokenizer = new SpacePreTokenizer(),
            UnknownToken = Vocabulary.UnknownToken,
            MaxInputCharsPerWord = MaxWordChars,
        });
    }

    /// <summary>The token ids of words.</summary>
    /// <param name="words">Words separated by single spaces, of at most <see cref="WordBuffer.MaxWordLength"/> code points.</param>
    /// <param name="enough">Once there are more than these, the rest of the words is left alone.</param>
    public List<int> Of(ReadOnlySpan<char> words, int enough)
    {
        var ids = new List<int>(Math.Min(words.Length / 4 + 4, 512));
        while (words.Length > 0 && ids.Count <= enough)
        {
            var end = words.IndexOf(' ');
            var word = end < 0 ? words : words[..end];
            if (_whole.TryGetValue(word, out var id)) ids.Add(id);
            else ids.AddRange(_pieces.EncodeToIds(word));
            words = end < 0 ? [] : words[(end + 1)..];
        }

        return ids;
    }
}

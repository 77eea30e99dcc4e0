namespace Lab.Worker.Tokenization;

/// <summary>
/// Greedy longest-match-first WordPiece (Wu et al., arXiv:1609.08144, as in BERT's <c>tokenization.py</c>): a word is the
/// longest piece it begins with, then the longest that follows, and so on; one that cannot be made up so is [UNK] as a
/// whole. Safe for concurrent use.
/// </summary>
internal sealed class WordPieces
{
    private const string Continuation = "##";

    private readonly Pieces _first;
    private readonly Pieces _following;
    private readonly int _unknown;

    /// <summary>Word pieces by a vocabulary.</summary>
    public WordPieces(Vocabulary vocabulary)
    {
        _first = new(vocabulary.Tokens.Index().Select(token => (token.Item, token.Index)));
        _following = new(vocabulary.Tokens.Index()
            .Where(token => token.Item.Length > Continuation.Length && token.Item.StartsWith(Continuation, StringComparison.Ordinal))
            .Select(token => (token.Item[Continuation.Length..], token.Index)));
        _unknown = vocabulary.UnknownId;
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
            AddWord(end < 0 ? words : words[..end], ids);
            words = end < 0 ? [] : words[(end + 1)..];
        }

        return ids;
    }

    private void AddWord(ReadOnlySpan<char> word, List<int> ids)
    {
        var before = ids.Count;
        for (var pieces = _first; word.Length > 0; pieces = _following)
        {
            if (!pieces.TryFindLongest(word, out var length, out var id))
            {
                ids.RemoveRange(before, ids.Count - before);
                ids.Add(_unknown);
                return;
            }

            ids.Add(id);
            word = word[length..];
        }
    }

    private sealed class Pieces
    {
        private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
        private readonly int _longest;

        public Pieces(IEnumerable<(string Text, int Id)> pieces)
        {
            var ids = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var (text, id) in pieces)
            {
                ids.Add(text, id);
                _longest = Math.Max(_longest, text.Length);
            }

            _ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public bool TryFindLongest(ReadOnlySpan<char> word, out int length, out int id)
        {
            for (length = Math.Min(word.Length, _longest); length > 0; length--)
                if (_ids.TryGetValue(word[..length], out id)) return true;
            id = 0;
            return false;
        }
    }
}

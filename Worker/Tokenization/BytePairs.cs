using Lab.Worker.Checkpoints;
using Microsoft.ML.Tokenizers;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Byte pair encoding (Sennrich et al., arXiv:1508.07909): of a word's bytes those that are a pair are merged, the pair that
/// comes first in the list first, until none is left. Safe for concurrent use.
/// </summary>
internal sealed class BytePairs
{
    /// <summary>
    /// Of a word with more UTF-16 units than these and of which the end is wanted, only so many at its end are looked at: it
    /// has no space in it, and all at once it would take a hundred times as many bytes.
    /// </summary>
    public const int MaxWordChars = 1 << 20;

    // The library's time grows with the square of a word's length.
    private const int MaxLibraryChars = 48;

    // What is behind a merge bears on it only through a chain of merges, each of them later in the list than the one behind
    // it. None is as long as this.
    private const int Influence = 1 << 16;

    private readonly BpeTokenizer _words;
    private readonly BytePairMerger _merger;
    private readonly int _longestToken;

    /// <summary>Byte pairs by a vocabulary.</summary>
    public BytePairs(ByteLevelVocabulary vocabulary)
    {
        _words = BpeTokenizer.Create(new BpeOptions(vocabulary.Ids)
        {
            Merges = vocabulary.Merges.Select(merge => $"{merge.Left} {merge.Right}"),
            ByteLevel = true,
        });
        _merger = new(vocabulary);
        _longestToken = vocabulary.LongestToken;
    }

    /// <summary>Adds the token ids of a word.</summary>
    /// <param name="word">The word, not empty.</param>
    /// <param name="ids">Where they are added.</param>
    /// <param name="enough">Once there are more than these in <paramref name="ids"/>, the rest of the word is left alone.</param>
    public void Add(ReadOnlySpan<char> word, List<int> ids, int enough)
    {
        // It writes half of a surrogate pair as three bytes, which are no UTF-8.
        if (word.Length <= MaxLibraryChars && !word.ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            ids.AddRange(_words.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false));
            return;
        }

        if (enough == int.MaxValue)
        {
            if (word.Length > MaxWordChars) word = word[^MaxWordChars..];
        }
        else
        {
            var needed = (enough + 1L - ids.Count) * _longestToken + Influence;
            if (needed < word.Length) word = word[..(int)needed];
        }

        _merger.Add(word, ids);
    }
}

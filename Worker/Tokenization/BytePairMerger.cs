using System.Buffers;
using System.Text;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Merges the bytes of a word of any length, in a time of n log n for n bytes (<c>Word::merge_all</c> of Hugging Face's
/// tokenizers): all pairs stand in a queue, and each merge adds the two that it makes. Safe for concurrent use.
/// </summary>
internal sealed class BytePairMerger
{
    private const int None = -1;

    private readonly int[] _byteIds;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _merges;

    /// <summary>A merger by a vocabulary.</summary>
    public BytePairMerger(ByteLevelVocabulary vocabulary)
    {
        _byteIds = vocabulary.ByteIds;
        _merges = new(vocabulary.Merges.Count);
        foreach (var (rank, (left, right)) in vocabulary.Merges.Index())
            _merges.Add((vocabulary.Ids[left], vocabulary.Ids[right]), (rank, vocabulary.Ids[left + right]));
    }

    /// <summary>Adds the token ids of a word.</summary>
    /// <param name="word">The word; a lone surrogate in it is U+FFFD.</param>
    /// <param name="ids">Where they are added.</param>
    public void Add(ReadOnlySpan<char> word, List<int> ids)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetByteCount(word));
        var symbols = ArrayPool<Symbol>.Shared.Rent(bytes.Length);
        try
        {
            var count = Encoding.UTF8.GetBytes(word, bytes);
            for (var i = 0; i < count; i++) symbols[i] = new(_byteIds[bytes[i]], i - 1, i + 1 < count ? i + 1 : None);
            Merge(symbols.AsSpan(0, count));
            for (var at = 0; at != None; at = symbols[at].Next) ids.Add(symbols[at].Id);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            ArrayPool<Symbol>.Shared.Return(symbols);
        }
    }

    private void Merge(Span<Symbol> symbols)
    {
        var queue = new PriorityQueue<(int At, int Id), (int Rank, int At)>(symbols.Length);
        for (var at = 0; at + 1 < symbols.Length; at++) Enqueue(queue, symbols, at);
        while (queue.TryDequeue(out var merge, out _))
        {
            ref var left = ref symbols[merge.At];
            if (left.Id == None || left.Next == None) continue;
            ref var right = ref symbols[left.Next];
            // One of the two has been merged since.
            if (!_merges.TryGetValue((left.Id, right.Id), out var found) || found.Id != merge.Id) continue;
            left = new(merge.Id, left.Previous, right.Next);
            right.Id = None;
            if (left.Next != None)
            {
                symbols[left.Next].Previous = merge.At;
                Enqueue(queue, symbols, merge.At);
            }

            if (left.Previous != None) Enqueue(queue, symbols, left.Previous);
        }
    }

    private void Enqueue(PriorityQueue<(int At, int Id), (int Rank, int At)> queue, Span<Symbol> symbols, int at)
    {
        if (_merges.TryGetValue((symbols[at].Id, symbols[symbols[at].Next].Id), out var merge)) queue.Enqueue((at, merge.Id), (merge.Rank, at));
    }

    // A token in the making; its neighbours by their places. One that has been merged into the one before it has no id.
    private struct Symbol(int id, int previous, int next)
    {
        public int Id = id;
        public int Previous = previous;
        public int Next = next;
    }
}

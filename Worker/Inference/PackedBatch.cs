namespace Lab.Worker.Inference;

/// <summary>
/// Texts packed one after the other into a single sequence, as the graph's inputs. One object is filled again and
/// again, so that its buffers are allocated once.
/// </summary>
internal sealed class PackedBatch
{
    // Far below every attention score, and far enough from the least float that a score can be added to it.
    private const float Masked = -1e30f;

    private int[] _tokenIds = [];
    private int[] _positionIds = [];
    private float[] _attentionBias = [];
    private int[] _clsRows = [];

    /// <summary>The tokens of all texts.</summary>
    public int TokenCount { get; private set; }

    /// <summary>The number of texts.</summary>
    public int TextCount { get; private set; }

    /// <summary>[tokens]: the token ids.</summary>
    public Memory<int> TokenIds => _tokenIds.AsMemory(0, TokenCount);

    /// <summary>[tokens]: positions, from 0 in each text.</summary>
    public Memory<int> PositionIds => _positionIds.AsMemory(0, TokenCount);

    /// <summary>[tokens × tokens]: 0 within a text, a large negative number between two.</summary>
    public Memory<float> AttentionBias => _attentionBias.AsMemory(0, TokenCount * TokenCount);

    /// <summary>[texts]: the row of each [CLS].</summary>
    public Memory<int> ClsRows => _clsRows.AsMemory(0, TextCount);

    /// <summary>Packs these texts, replacing what was there.</summary>
    /// <param name="texts">Token ids of each text, [CLS] … [SEP].</param>
    public void Fill(ReadOnlySpan<int[]> texts)
    {
        TextCount = texts.Length;
        TokenCount = 0;
        foreach (var text in texts) TokenCount += text.Length;
        Grow(ref _tokenIds, TokenCount);
        Grow(ref _positionIds, TokenCount);
        Grow(ref _attentionBias, checked(TokenCount * TokenCount));
        Grow(ref _clsRows, TextCount);

        AttentionBias.Span.Fill(texts.Length == 1 ? 0 : Masked);
        var start = 0;
        for (var i = 0; i < texts.Length; i++)
        {
            var length = texts[i].Length;
            _clsRows[i] = start;
            texts[i].CopyTo(_tokenIds, start);
            for (var position = 0; position < length; position++)
            {
                _positionIds[start + position] = position;
                _attentionBias.AsSpan((start + position) * TokenCount + start, length).Clear();
            }

            start += length;
        }
    }

    private static void Grow<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<T>(length, pinned: true);
    }
}

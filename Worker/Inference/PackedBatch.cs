namespace Lab.Worker.Inference;

/// <summary>
/// Texts packed one after the other, as the graph's inputs: into a single sequence, or, where they are all of one
/// length, into a sequence each. One object is filled again and again, so that its buffers are allocated once.
/// </summary>
internal sealed class PackedBatch
{
    // Far below every attention score, and far enough from the least float that a score can be added to it.
    private const float Masked = -1e30f;

    private int[] _tokenIds = [];
    private int[] _positionIds = [];
    private float[] _attentionBias = [];
    private float[] _clsBias = [];
    private int[] _clsRows = [];

    /// <summary>The tokens of all texts.</summary>
    public int TokenCount { get; private set; }

    /// <summary>The number of texts.</summary>
    public int TextCount { get; private set; }

    /// <summary>[tokens]: the token ids.</summary>
    public Memory<int> TokenIds => _tokenIds.AsMemory(0, TokenCount);

    /// <summary>[tokens]: positions, from 0 in each text.</summary>
    public Memory<int> PositionIds => _positionIds.AsMemory(0, TokenCount);

    /// <summary>The number of sequences in which the tokens stand, all of the same length.</summary>
    public int SequenceCount { get; private set; }

    /// <summary>The tokens of each sequence.</summary>
    public int SequenceLength => TokenCount / SequenceCount;

    /// <summary>[length × length]: 0 within a text, a large negative number between two.</summary>
    public Memory<float> AttentionBias => _attentionBias.AsMemory(0, SequenceLength * SequenceLength);

    /// <summary>[texts of a sequence × length]: the rows of <see cref="AttentionBias"/> at each [CLS].</summary>
    public Memory<float> ClsBias => _clsBias.AsMemory(0, TextCount / SequenceCount * SequenceLength);

    /// <summary>[texts]: the row of each [CLS].</summary>
    public Memory<int> ClsRows => _clsRows.AsMemory(0, TextCount);

    /// <summary>Packs these texts, replacing what was there.</summary>
    /// <param name="texts">Token ids of each text, [CLS] … [SEP].</param>
    public void Fill(ReadOnlySpan<int[]> texts)
    {
        TextCount = texts.Length;
        TokenCount = 0;
        var alike = true;
        foreach (var text in texts)
        {
            TokenCount += text.Length;
            alike &= text.Length == texts[0].Length;
        }

        // Attention's work grows with the square of a sequence: texts of one length need not share any.
        SequenceCount = alike ? TextCount : 1;
        Grow(ref _tokenIds, TokenCount);
        Grow(ref _positionIds, TokenCount);
        Grow(ref _attentionBias, checked(SequenceLength * SequenceLength));
        Grow(ref _clsBias, checked(TextCount / SequenceCount * SequenceLength));
        Grow(ref _clsRows, TextCount);

        AttentionBias.Span.Fill(alike ? 0 : Masked);
        ClsBias.Span.Fill(alike ? 0 : Masked);
        var start = 0;
        for (var i = 0; i < texts.Length; i++)
        {
            var length = texts[i].Length;
            _clsRows[i] = start;
            texts[i].CopyTo(_tokenIds, start);
            for (var position = 0; position < length; position++) _positionIds[start + position] = position;
            if (!alike)
            {
                for (var row = start; row < start + length; row++) _attentionBias.AsSpan(row * TokenCount + start, length).Clear();
                _clsBias.AsSpan(i * TokenCount + start, length).Clear();
            }

            start += length;
        }
    }

    private static void Grow<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<T>(length, pinned: true);
    }
}

using Lab.Worker.Tokenization;

namespace Lab.Worker.Inference;

/// <summary>
/// Texts as the graph's inputs: their tokens one after the other, without padding, and for attention, whose work grows
/// with the square of a sequence, a place for each text in sequences that are as long as the longest needs. One object is
/// filled again and again, so that its buffers are allocated once.
/// </summary>
/// <remarks>
/// Each text begins at a multiple of <see cref="Alignment"/>: a processor adds up a row of scores in that many sums, so that
/// the same text gives the same bits wherever it stands, and whatever stands beside it.
/// For the same reason there are never fewer than two queries or texts, for a single row is multiplied in another way.
/// </remarks>
/// <param name="secondType">By how many rows tokens of the second type stand further in the table of positions; 0 where a model has one type.</param>
internal sealed class PackedBatch(int secondType)
{
    /// <summary>The numbers in the widest vector of those processors that the runtime has kernels for.</summary>
    public const int Alignment = 16;

    // Far below every attention score, and far enough from the least float that a score can be added to it.
    private const float Masked = -1e30f;

    private const int MinRows = 2;

    private int[] _tokenIds = [];
    private int[] _positionIds = [];
    private float[] _attentionBias = [];
    private float[] _clsBias = [];
    private int[] _clsRows = [];
    private long[] _slotTokens = [];
    private int[] _tokenSlots = [];
    private int[] _queryTexts = [];
    private int[] _textQueries = [];

    // Of each sequence: how many slots are taken, and how many texts stand in it.
    private int[] _taken = [];
    private int[] _texts = [];

    /// <summary>The tokens of all texts.</summary>
    public int TokenCount { get; private set; }

    /// <summary>The number of texts, or 2 if there is only one: then it stands there twice.</summary>
    public int TextCount { get; private set; }

    /// <summary>The number of sequences.</summary>
    public int SequenceCount { get; private set; }

    /// <summary>The slots for tokens in each sequence.</summary>
    public int SequenceLength { get; private set; }

    /// <summary>The queries in each sequence, at least 2.</summary>
    public int QueryCount { get; private set; }

    /// <summary>[tokens]: the token ids.</summary>
    public Memory<int> TokenIds => _tokenIds.AsMemory(0, TokenCount);

    /// <summary>[tokens]: rows of the table of positions: from 0 in each text, and further for tokens of the second type.</summary>
    public Memory<int> PositionIds => _positionIds.AsMemory(0, TokenCount);

    /// <summary>The number of biases: one for each sequence, or a single one where all sequences are alike.</summary>
    public int BiasCount { get; private set; }

    /// <summary>[biases × length × length]: 0 within a text, a large negative number between two and at slots that are free.</summary>
    public Memory<float> AttentionBias => _attentionBias.AsMemory(0, BiasCount * SequenceLength * SequenceLength);

    /// <summary>[biases × queries × length]: the rows of <see cref="AttentionBias"/> at each [CLS].</summary>
    public Memory<float> ClsBias => _clsBias.AsMemory(0, BiasCount * QueryCount * SequenceLength);

    /// <summary>[texts]: the token that is each text's [CLS].</summary>
    public Memory<int> ClsRows => _clsRows.AsMemory(0, TextCount);

    /// <summary>[sequences × length]: the token in each slot, or any token where it is free.</summary>
    public Memory<long> SlotTokens => _slotTokens.AsMemory(0, SequenceCount * SequenceLength);

    /// <summary>[tokens]: the slot of each token.</summary>
    public Memory<int> TokenSlots => _tokenSlots.AsMemory(0, TokenCount);

    /// <summary>[sequences × queries]: the text of each query, or any text where it is free.</summary>
    public Memory<int> QueryTexts => _queryTexts.AsMemory(0, SequenceCount * QueryCount);

    /// <summary>[texts]: the query of each text.</summary>
    public Memory<int> TextQueries => _textQueries.AsMemory(0, TextCount);

    /// <summary>Packs these texts, replacing what was there.</summary>
    /// <param name="texts">The texts.</param>
    public void Fill(ReadOnlySpan<TokenizedText> texts)
    {
        TextCount = Math.Max(MinRows, texts.Length);
        TokenCount = 0;
        SequenceLength = 0;
        foreach (var text in texts)
        {
            TokenCount += text.TokenIds.Length;
            SequenceLength = Math.Max(SequenceLength, text.TokenIds.Length);
        }

        Grow(ref _tokenIds, TokenCount);
        Grow(ref _positionIds, TokenCount);
        Grow(ref _tokenSlots, TokenCount);
        Grow(ref _clsRows, TextCount);
        Grow(ref _textQueries, TextCount);
        Place(texts);
        // Texts of one length fill a sequence each.
        BiasCount = TokenCount == SequenceCount * SequenceLength && SequenceCount == texts.Length ? 1 : SequenceCount;
        Grow(ref _attentionBias, checked(BiasCount * SequenceLength * SequenceLength));
        Grow(ref _clsBias, checked(BiasCount * QueryCount * SequenceLength));
        Grow(ref _slotTokens, SequenceCount * SequenceLength);
        Grow(ref _queryTexts, SequenceCount * QueryCount);
        AttentionBias.Span.Fill(Masked);
        ClsBias.Span.Fill(Masked);
        SlotTokens.Span.Clear();
        QueryTexts.Span.Clear();

        var start = 0;
        for (var i = 0; i < texts.Length; i++)
        {
            Write(i, texts[i], start);
            start += texts[i].TokenIds.Length;
        }

        for (var i = texts.Length; i < TextCount; i++) (_clsRows[i], _textQueries[i]) = (_clsRows[0], _textQueries[0]);
    }

    // Each text goes into the first sequence that has room for it. Until all are placed, the number of queries is not
    // known: the slot and the query of a text are noted, and become indices in Write.
    private void Place(ReadOnlySpan<TokenizedText> texts)
    {
        Grow(ref _taken, texts.Length);
        Grow(ref _texts, texts.Length);
        SequenceCount = 0;
        QueryCount = MinRows;
        for (var i = 0; i < texts.Length; i++)
        {
            var sequence = 0;
            while (sequence < SequenceCount && _taken[sequence] + texts[i].TokenIds.Length > SequenceLength) sequence++;
            if (sequence == SequenceCount) (_taken[SequenceCount], _texts[SequenceCount++]) = (0, 0);
            _clsRows[i] = sequence * SequenceLength + _taken[sequence];
            _textQueries[i] = _texts[sequence]++;
            _taken[sequence] += Aligned(texts[i].TokenIds.Length);
            QueryCount = Math.Max(QueryCount, _texts[sequence]);
        }
    }

    private void Write(int index, TokenizedText tokenized, int start)
    {
        var text = tokenized.TokenIds;
        var slot = _clsRows[index];
        var (sequence, column) = Math.DivRem(slot, SequenceLength);
        var query = sequence * QueryCount + _textQueries[index];
        text.CopyTo(_tokenIds, start);
        for (var i = 0; i < text.Length; i++)
        {
            _positionIds[start + i] = i < tokenized.SecondStart ? i : secondType + i;
            _tokenSlots[start + i] = slot + i;
            _slotTokens[slot + i] = start + i;
            if (sequence < BiasCount) _attentionBias.AsSpan((slot + i) * SequenceLength + column, text.Length).Clear();
        }

        if (sequence < BiasCount) _clsBias.AsSpan(query * SequenceLength + column, text.Length).Clear();
        _clsRows[index] = start;
        _queryTexts[query] = index;
        _textQueries[index] = query;
    }

    private static int Aligned(int length) => (length + Alignment - 1) / Alignment * Alignment;

    private static void Grow<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<T>(length, pinned: true);
    }
}

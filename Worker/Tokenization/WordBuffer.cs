using System.Buffers;
using System.Text;

namespace Lab.Worker.Tokenization;

/// <summary>Words in the making, separated by single spaces. Must be disposed, and passed by reference.</summary>
internal struct WordBuffer : IDisposable
{
    /// <summary>BERT's <c>max_input_chars_per_word</c>, in code points: a longer word is unknown as a whole.</summary>
    public const int MaxWordLength = 100;

    // A noncharacter, which is dropped from every text: no vocabulary has a word for it, and so it becomes [UNK].
    private const char UnknownWord = '\uFFFF';

    private readonly int _maxWords;
    private readonly bool _verbatim;
    private char[] _chars;
    private int _length;
    private int _wordStart;
    private int _wordLength;
    private int _words;

    /// <summary>An empty buffer.</summary>
    /// <param name="sizeHint">The expected length in characters.</param>
    /// <param name="maxWords">After how many words it is full.</param>
    public WordBuffer(int sizeHint, int maxWords)
    {
        _maxWords = maxWords;
        _chars = ArrayPool<char>.Shared.Rent(Math.Clamp(sizeHint, 64, 1 << 16));
    }

    /// <summary>An empty buffer that keeps spaces as they come, and parts and bounds no words.</summary>
    /// <param name="sizeHint">The expected length in characters.</param>
    public WordBuffer(int sizeHint)
        : this(sizeHint, int.MaxValue) => _verbatim = true;

    /// <summary>Whether further words would be ignored.</summary>
    public readonly bool IsFull => _words >= _maxWords;

    /// <summary>Appends to the current word.</summary>
    public void Append(char character)
    {
        if (!_verbatim && _wordLength++ >= MaxWordLength) return;
        if (_length + 2 > _chars.Length) Grow();
        _chars[_length++] = character;
    }

    /// <summary>Appends to the current word.</summary>
    public void Append(Rune rune)
    {
        if (!_verbatim && _wordLength++ >= MaxWordLength) return;
        if (_length + 3 > _chars.Length) Grow();
        _length += rune.EncodeToUtf16(_chars.AsSpan(_length));
    }

    /// <summary>Ends the current word, if there is one.</summary>
    public void EndWord()
    {
        if (_wordLength == 0) return;
        if (_wordLength > MaxWordLength)
        {
            _length = _wordStart;
            _chars[_length++] = UnknownWord;
        }

        if (_words < _maxWords)
        {
            _words++;
            if (_length + 1 > _chars.Length) Grow();
            _chars[_length++] = ' ';
            _wordStart = _length;
        }
        else
        {
            _length = _wordStart;
        }

        _wordLength = 0;
    }

    /// <summary>Ends the current word, if there is one, at a space.</summary>
    public void Space()
    {
        if (_verbatim) Append(' ');
        else EndWord();
    }

    /// <summary>The words that have ended.</summary>
    public readonly ReadOnlySpan<char> Text => _chars.AsSpan(0, _verbatim ? _length : Math.Max(0, _wordStart - 1));

    /// <summary>Gives the memory back.</summary>
    public readonly void Dispose() => ArrayPool<char>.Shared.Return(_chars);

    private void Grow()
    {
        var larger = ArrayPool<char>.Shared.Rent(_chars.Length * 2);
        _chars.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<char>.Shared.Return(_chars);
        _chars = larger;
    }
}

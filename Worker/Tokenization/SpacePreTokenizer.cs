using Microsoft.ML.Tokenizers;

namespace Lab.Worker.Tokenization;

/// <summary>Splits what <see cref="BertNormalizer"/> has written at its single spaces.</summary>
internal sealed class SpacePreTokenizer : PreTokenizer
{
    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        for (int start = 0, end; start < text.Length; start = end + 1)
        {
            end = text.IndexOf(' ', start);
            if (end < 0) end = text.Length;
            yield return (start, end - start);
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());
}

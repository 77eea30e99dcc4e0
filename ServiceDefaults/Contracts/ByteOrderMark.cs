using System.Buffers;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>
/// The mark that some editors and shells put before a text in UTF-8. It is no part of the text (RFC 3629, 6), and a
/// reader of JSON may pass over it (RFC 8259, 8.1); .NET's readers of bytes do not.
/// </summary>
public static class ByteOrderMark
{
    /// <summary>Its three bytes.</summary>
    public static ReadOnlySpan<byte> Utf8 => [0xEF, 0xBB, 0xBF];

    /// <summary>A text without the mark.</summary>
    public static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> text) => text.StartsWith(Utf8) ? text[Utf8.Length..] : text;

    /// <inheritdoc cref="Skip(ReadOnlySpan{byte})"/>
    public static ReadOnlyMemory<byte> Skip(ReadOnlyMemory<byte> text) => text.Span.StartsWith(Utf8) ? text[Utf8.Length..] : text;

    /// <inheritdoc cref="Skip(ReadOnlySpan{byte})"/>
    public static ReadOnlySequence<byte> Skip(ReadOnlySequence<byte> text)
    {
        // Its first part may be shorter than the mark.
        var reader = new SequenceReader<byte>(text);
        return reader.IsNext(Utf8, advancePast: true) ? reader.UnreadSequence : text;
    }
}

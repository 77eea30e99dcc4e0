namespace Lab.Worker.Checkpoints;

/// <summary>
/// How files of byte-level tokens write bytes (<c>bytes_to_unicode</c> of GPT-2's <c>encoder.py</c>): a printable character
/// of Latin-1 stands for itself, the other bytes in their order for U+0100 and those behind it; so a space is "Ġ".
/// </summary>
internal static class ByteCharacters
{
    /// <summary>The number of bytes.</summary>
    public const int Count = 256;

    private static readonly char[] Characters = Create();

    /// <summary>The character of a byte.</summary>
    public static char Of(byte value) => Characters[value];

    private static char[] Create()
    {
        var characters = new char[Count];
        var next = '\u0100';
        for (var value = 0; value < Count; value++)
            characters[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)value : next++;
        return characters;
    }
}

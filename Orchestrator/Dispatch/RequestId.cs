using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// UUIDs of version 7 (RFC 9562, section 5.7), from the same source of randomness as <see cref="Guid.CreateVersion7()"/>
/// but taken for many at a time: a system call for each would cost as much as sending the request on.
/// </summary>
internal static class RequestId
{
    private const int Size = 16;
    private const int BlockSize = 64 * Size;

    [ThreadStatic]
    private static byte[]? _random;

    [ThreadStatic]
    private static int _used;

    /// <summary>A new one, of the clock's time.</summary>
    public static Guid New(TimeProvider time)
    {
        if (_random is null || _used == BlockSize)
        {
            _random ??= new byte[BlockSize];
            RandomNumberGenerator.Fill(_random);
            _used = 0;
        }

        var id = _random.AsSpan(_used, Size);
        _used += Size;
        var milliseconds = time.GetUtcNow().ToUnixTimeMilliseconds();
        BinaryPrimitives.WriteInt16BigEndian(id, (short)(milliseconds >> 32));
        BinaryPrimitives.WriteInt32BigEndian(id[2..], (int)milliseconds);
        id[6] = (byte)((id[6] & 0x0F) | 0x70);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new(id, bigEndian: true);
    }
}

using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Workers;

/// <summary>Status line and headers of an HTTP/1.1 response (RFC 9112), as far as a connection needs them.</summary>
/// <param name="Length">Bytes up to and including the empty line.</param>
/// <param name="Status">The status code, 100 to 999.</param>
/// <param name="ContentLength">The body's length in bytes; -1 where none is told.</param>
/// <param name="IsChunked">Whether the body comes in chunks.</param>
/// <param name="Closes">Whether the connection ends with this response.</param>
/// <param name="BusyMs">What <see cref="DispatchHeaders.Busy"/> says; 0 where it says nothing.</param>
/// <param name="IsWanted">What <see cref="DispatchHeaders.Wanted"/> says.</param>
internal readonly record struct ResponseHead(int Length, int Status, long ContentLength, bool IsChunked, bool Closes, int BusyMs = 0, bool IsWanted = false)
{
    // What no line of a head may contain (RFC 9110, 5.5): who reads over it reads something else than others do.
    private static readonly SearchValues<byte> Controls = SearchValues.Create([.. Enumerable.Range(0, 32).Where(one => one != '\t').Select(one => (byte)one), 127]);

    private static readonly byte[] Busy = Encoding.ASCII.GetBytes(DispatchHeaders.Busy);
    private static readonly byte[] Wanted = Encoding.ASCII.GetBytes(DispatchHeaders.Wanted);

    private static ReadOnlySpan<byte> End => "\r\n\r\n"u8;

    /// <summary>Whether there is no body, whatever the headers say.</summary>
    public bool IsBodiless => Status is (>= 100 and < 200) or 204 or 304;

    /// <summary>Reads a head from the start of what has been received.</summary>
    /// <returns>Whether all of it was there.</returns>
    /// <exception cref="InvalidDataException">It is no head of HTTP/1.1, or contradicts itself.</exception>
    public static bool TryParse(ReadOnlySpan<byte> received, out ResponseHead head)
    {
        head = default;
        var end = received.IndexOf(End);
        if (end < 0) return false;
        var lines = received[..(end + 2)];
        var statusLine = NextLine(ref lines);
        // HTTP/1.1 200 OK
        if (statusLine.Length < 12 || !statusLine.StartsWith("HTTP/1."u8) || statusLine[8] != ' '
            || !Utf8Parser.TryParse(statusLine[9..12], out int status, out var digits) || digits != 3 || status < 100
            || (statusLine.Length > 12 && statusLine[12] != ' '))
            throw new InvalidDataException("its answer is not HTTP/1.1");
        var closes = statusLine[7] == '0';
        long length = -1;
        var chunked = false;
        var busyMs = 0;
        var wanted = false;
        while (!lines.IsEmpty)
        {
            var line = NextLine(ref lines);
            var colon = line.IndexOf((byte)':');
            if (colon <= 0) throw new InvalidDataException("its answer has a header without a name");
            var name = line[..colon];
            // Also the continuation of the line before, which nobody may send any more (RFC 9112, 5.2).
            if (name.ContainsAny((byte)' ', (byte)'\t')) throw new InvalidDataException("its answer has a header whose name is none");
            if (line.ContainsAny(Controls)) throw new InvalidDataException("its answer has a header with control characters");
            var value = line[(colon + 1)..].Trim(" \t"u8);
            if (Is(name, "content-length"u8))
            {
                if (!Utf8Parser.TryParse(value, out long told, out var read) || read != value.Length || !char.IsAsciiDigit((char)value[0]) || (length >= 0 && length != told))
                    throw new InvalidDataException("its answer's length cannot be read");
                length = told;
            }
            else if (Is(name, "transfer-encoding"u8))
            {
                if (!Is(value, "chunked"u8)) throw new InvalidDataException("its answer has an encoding that was not asked for");
                chunked = true;
            }
            else if (Is(name, "connection"u8))
            {
                closes |= Is(value, "close"u8);
            }
            else if (Is(name, Busy))
            {
                // What cannot be read says nothing: it is no part of the answer.
                busyMs = Utf8Parser.TryParse(value, out int told, out var read) && read == value.Length && told is > 0 and <= DispatchHeaders.MaxBusyMs ? told : 0;
            }
            else if (Is(name, Wanted))
            {
                wanted = Is(value, "1"u8);
            }
        }

        // Chunks win (RFC 9112, 6.3), but a peer that says both cannot be trusted with another request.
        head = new(end + End.Length, status, chunked ? -1 : length, chunked, closes || (chunked && length >= 0), busyMs, wanted);
        return true;
    }

    private static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> lines)
    {
        var end = lines.IndexOf("\r\n"u8);
        var line = lines[..end];
        lines = lines[(end + 2)..];
        return line;
    }

    private static bool Is(ReadOnlySpan<byte> told, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(told, lower);
}

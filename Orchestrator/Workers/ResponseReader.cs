using System.Globalization;
using System.Runtime.CompilerServices;

namespace Lab.Orchestrator.Workers;

/// <summary>Reads HTTP/1.1 responses (RFC 9112) one after another from a stream, each as a whole, into a buffer of its own.</summary>
internal sealed class ResponseReader(Stream stream)
{
    private const int MaxHeadBytes = 16 * 1024;

    // Responses that only announce one (RFC 9110, 15.2): nobody needs more than one or two.
    private const int MaxInterimResponses = 10;
    private const int InitialBuffer = 4 * 1024;

    // What a large answer has needed is not kept for the small ones after it.
    private const int MaxKeptBuffer = 64 * 1024;

    private byte[] _received = new byte[InitialBuffer];
    private int _length;
    private long _total;
    private long _maxTotal;

    /// <summary>Whether any byte of the response has come.</summary>
    public bool HasBegun => _total > 0;

    /// <summary>Status line and headers of the last response.</summary>
    public ResponseHead Head { get; private set; }

    /// <summary>Reads the next response.</summary>
    /// <returns>
    /// The status; the body, which is valid until the next call; and whether another response may follow on the stream.
    /// </returns>
    /// <exception cref="IOException">The connection breaks off.</exception>
    /// <exception cref="InvalidDataException">It is no HTTP/1.1, or larger than <paramref name="maxBodyBytes"/>.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<(int Status, ReadOnlyMemory<byte> Body, bool KeepsOpen)> ReadAsync(long maxBodyBytes, CancellationToken cancellationToken)
    {
        _length = 0;
        _total = 0;
        // Sizes of chunks, their extensions and trailers are bounded with the body that they belong to.
        _maxTotal = maxBodyBytes + (maxBodyBytes / 4) + (2 * MaxHeadBytes);
        var interim = 0;
        if (_received.Length > MaxKeptBuffer) _received = new byte[InitialBuffer];
        ResponseHead head;
        while (!ResponseHead.TryParse(_received.AsSpan(0, _length), out head) || head.Status < 200)
        {
            if (head.Status is 101) throw new InvalidDataException("it changes to a protocol that was not asked for");
            // What announces an answer is none (RFC 9110, 15.2).
            if (head.Length > 0)
            {
                if (++interim > MaxInterimResponses) throw new InvalidDataException($"it announces an answer more than {MaxInterimResponses} times");
                Drop(head.Length);
            }
            else if (_length >= MaxHeadBytes) throw new InvalidDataException($"its answer's headers are larger than {MaxHeadBytes} bytes");
            else await ReceiveAsync(cancellationToken);
        }

        Head = head;
        var (body, end) = head switch
        {
            { IsBodiless: true } => (default, head.Length),
            { IsChunked: true } => await ReadChunksAsync(head.Length, maxBodyBytes, cancellationToken),
            { ContentLength: >= 0 } => await ReadLengthAsync(head.Length, head.ContentLength, maxBodyBytes, cancellationToken),
            _ => await ReadToEndAsync(head.Length, maxBodyBytes, cancellationToken),
        };
        var untilClosed = head is { IsBodiless: false, IsChunked: false, ContentLength: < 0 };
        return (head.Status, body, !head.Closes && !untilClosed && end == _length);
    }

    private async ValueTask<(ReadOnlyMemory<byte> Body, int End)> ReadLengthAsync(int start, long length, long maxBodyBytes, CancellationToken cancellationToken)
    {
        if (length > maxBodyBytes) throw TooLarge(maxBodyBytes);
        var end = start + (int)length;
        if (_received.Length < end) Array.Resize(ref _received, end);
        while (_length < end) await ReceiveAsync(cancellationToken);
        return (_received.AsMemory(start, (int)length), end);
    }

    private async ValueTask<(ReadOnlyMemory<byte> Body, int End)> ReadToEndAsync(int start, long maxBodyBytes, CancellationToken cancellationToken)
    {
        while (await TryReceiveAsync(cancellationToken))
            if (_length - start > maxBodyBytes) throw TooLarge(maxBodyBytes);
        return (_received.AsMemory(start, _length - start), _length);
    }

    /// <summary>Puts the chunks (RFC 9112, 7.1) together where the first of them stands.</summary>
    private async ValueTask<(ReadOnlyMemory<byte> Body, int End)> ReadChunksAsync(int start, long maxBodyBytes, CancellationToken cancellationToken)
    {
        var (written, position) = (start, start);
        while (true)
        {
            var (size, data) = await ReadChunkSizeAsync(position, maxBodyBytes, cancellationToken);
            if (written - start + size > maxBodyBytes) throw TooLarge(maxBodyBytes);
            if (size == 0) return (_received.AsMemory(start, written - start), await SkipTrailersAsync(data, cancellationToken));
            while (_length < data + size + 2) await ReceiveAsync(cancellationToken);
            if (!_received.AsSpan(data + size, 2).SequenceEqual("\r\n"u8)) throw new InvalidDataException("its answer has a chunk without an end");
            _received.AsSpan(data, size).CopyTo(_received.AsSpan(written));
            written += size;
            position = data + size + 2;
        }
    }

    private async ValueTask<(int Size, int Data)> ReadChunkSizeAsync(int position, long maxBodyBytes, CancellationToken cancellationToken)
    {
        int end;
        while ((end = _received.AsSpan(position, _length - position).IndexOf("\r\n"u8)) < 0)
        {
            if (_length - position > MaxHeadBytes) throw new InvalidDataException("its answer has a chunk without a size");
            await ReceiveAsync(cancellationToken);
        }

        var line = _received.AsSpan(position, end);
        var extension = line.IndexOf((byte)';');
        if (extension >= 0) line = line[..extension];
        return int.TryParse(line.Trim(" \t"u8), NumberStyles.AllowHexSpecifier, provider: null, out var size) && size >= 0
            ? size <= maxBodyBytes ? (size, position + end + 2) : throw TooLarge(maxBodyBytes)
            : throw new InvalidDataException("its answer has a chunk whose size cannot be read");
    }

    private async ValueTask<int> SkipTrailersAsync(int position, CancellationToken cancellationToken)
    {
        while (true)
        {
            var end = _received.AsSpan(position, _length - position).IndexOf("\r\n"u8);
            if (end == 0) return position + 2;
            if (end > 0) position += end + 2;
            else if (_length - position > MaxHeadBytes) throw new InvalidDataException("its answer's trailers are too large");
            else await ReceiveAsync(cancellationToken);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        if (!await TryReceiveAsync(cancellationToken)) throw new IOException(_length == 0 ? "it closes the connection without an answer" : "its answer breaks off");
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> TryReceiveAsync(CancellationToken cancellationToken)
    {
        if (_length == _received.Length) Array.Resize(ref _received, 2 * _received.Length);
        var read = await stream.ReadAsync(_received.AsMemory(_length), cancellationToken);
        _length += read;
        _total += read;
        if (_total > _maxTotal) throw new InvalidDataException($"its answer is larger than {_maxTotal} bytes with what is around it");
        return read > 0;
    }

    private void Drop(int bytes)
    {
        _received.AsSpan(bytes, _length - bytes).CopyTo(_received);
        _length -= bytes;
    }

    private static InvalidDataException TooLarge(long maxBodyBytes) => new($"its answer is larger than {maxBodyBytes} bytes");
}

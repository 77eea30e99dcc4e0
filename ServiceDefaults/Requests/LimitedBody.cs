using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Lab.ServiceDefaults.Requests;

/// <summary>A request's body that is refused where it is too large, as the server itself would refuse it, but can still be read by who drops it.</summary>
/// <param name="inner">The body as it comes.</param>
/// <param name="response">Tells the client that the connection is closed after a body that is too large.</param>
/// <param name="limit">How many bytes are taken.</param>
/// <param name="isTooLarge">Whether it is known to be larger, so that nothing of it need be read.</param>
internal sealed class LimitedBody(Stream inner, HttpResponse response, long limit, bool isTooLarge) : Stream, IHttpMaxRequestBodySizeFeature
{
    private long _read;

    /// <summary>The body as it comes.</summary>
    public Stream Inner { get; } = inner;

    /// <summary>Whether the connection is this request's alone while it lasts.</summary>
    public bool IsOfHttp1 { get; } = response.HttpContext.Request.Protocol.StartsWith("HTTP/1", StringComparison.Ordinal);

    /// <summary>Whether all of it has been read.</summary>
    public bool IsAtEnd { get; private set; }

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <inheritdoc/>
    public long? MaxRequestBodySize
    {
        get => limit;
        set => throw new InvalidOperationException("The body's limit is the server's.");
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Has the connection closed after the answer, which clients that read while they write take as a sign to stop.</summary>
    public void CloseAfterwards()
    {
        if (!response.HasStarted && IsOfHttp1) response.Headers.Connection = "close";
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (isTooLarge) throw TooLarge();
        var read = await Inner.ReadAsync(buffer, cancellationToken);
        // A read without room for anything only waits.
        IsAtEnd |= read == 0 && buffer.Length > 0;
        _read += read;
        if (_read <= limit) return read;
        isTooLarge = true;
        CloseAfterwards();
        throw TooLarge();
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read asynchronously.");

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private BadHttpRequestException TooLarge() => new(
        string.Create(CultureInfo.InvariantCulture, $"The body is larger than the limit of {limit} bytes."), StatusCodes.Status413PayloadTooLarge);
}

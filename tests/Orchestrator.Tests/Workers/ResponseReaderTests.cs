using System.Text;
using CsCheck;
using Lab.Orchestrator.Workers;

namespace Lab.Orchestrator.Tests.Workers;

/// <summary>Responses as RFC 9112 allows them and as it does not, in pieces of every size.</summary>
public sealed class ResponseReaderTests
{
    private const int MaxBody = 64;

    private static readonly string[] Parts =
    [
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 C\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "\r\n", "3\r\nabc\r\n", "0\r\n", "zz", "\n", ": ",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true)]
    [InlineData("HTTP/1.1 200 \r\ncontent-length:5\r\n\r\nhello", 200, "hello", true)]
    [InlineData("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nX: y\r\n\r\n", 429, "", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n", 200, "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 200, "0123456789", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "a", false)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end", false)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", 200, "a", true)]
    public async Task Read_AnyPieces_GivesStatusBodyAndWhetherAnotherMayFollow(string response, int status, string body, bool keepsOpen)
    {
        var bytes = Encoding.ASCII.GetBytes(response);
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var (readStatus, readBody, readKeepsOpen) = await new ResponseReader(new Pieces(bytes, piece)).ReadAsync(MaxBody, Cancellation);
            Assert.Equal((status, body, keepsOpen), (readStatus, Encoding.ASCII.GetString(readBody.Span), readKeepsOpen));
        }
    }

    [Fact]
    public async Task Read_TwoResponses_ReadsOneAfterTheOther()
    {
        // Each as a piece of its own: a server that answers unasked is not trusted.
        var first = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"u8.ToArray();
        var reader = new ResponseReader(new Pieces([.. first, .. "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\ntwo"u8], first.Length));
        Assert.Equal("one", Encoding.ASCII.GetString((await reader.ReadAsync(MaxBody, Cancellation)).Body.Span));
        var (status, body, _) = await reader.ReadAsync(MaxBody, Cancellation);
        Assert.Equal((500, "two"), (status, Encoding.ASCII.GetString(body.Span)));
    }

    [Fact]
    public async Task Read_MoreThanTheResponse_MayNotBeFollowed()
    {
        var (_, _, keepsOpen) = await new ResponseReader(new Pieces("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc"u8.ToArray(), 1000)).ReadAsync(MaxBody, Cancellation);
        Assert.False(keepsOpen);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH\r\n\r\n", "not HTTP/1.1")]
    [InlineData("HTTP/2 200\r\n\r\n", "not HTTP/1.1")]
    [InlineData("HTTP/1.1 20x OK\r\n\r\n", "not HTTP/1.1")]
    [InlineData("HTTP/1.1 2000\r\n\r\n", "not HTTP/1.1")]
    [InlineData("HTTP/1.1 200 OK\r\n: empty\r\n\r\n", "without a name")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length cannot be read")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "length cannot be read")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "length cannot be read")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", "length cannot be read")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na", "whose name is none")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\n b: c\r\n\r\n", "whose name is none")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", "control characters")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\nContent-Length: 1\r\n\r\na", "control characters")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "not asked for")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n", "not asked for")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", "larger than 64 bytes")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n", "larger than 64 bytes")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n", "larger than 64 bytes")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "size cannot be read")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "size cannot be read")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n", "without an end")]
    public async Task Read_NoSuchResponse_IsInvalidData(string response, string what)
    {
        var failure = await Assert.ThrowsAsync<InvalidDataException>(async () =>
            await new ResponseReader(new Pieces(Encoding.ASCII.GetBytes(response), 7)).ReadAsync(MaxBody, Cancellation));
        Assert.Contains(what, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_EndlessBodies_AreBounded()
    {
        byte[] toEnd = [.. "HTTP/1.1 200 OK\r\n\r\n"u8, .. new byte[1000]];
        await Assert.ThrowsAsync<InvalidDataException>(async () => await new ResponseReader(new Pieces(toEnd, 10)).ReadAsync(MaxBody, Cancellation));
        byte[] head = [.. "HTTP/1.1 200 OK\r\nX: "u8, .. Enumerable.Repeat((byte)'a', 100_000)];
        await Assert.ThrowsAsync<InvalidDataException>(async () => await new ResponseReader(new Pieces(head, 1000)).ReadAsync(MaxBody, Cancellation));
    }

    [Theory]
    [InlineData("", "without an answer")]
    [InlineData("HTTP/1.1 200 O", "breaks off")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "breaks off")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "breaks off")]
    public async Task Read_BrokenOff_IsAnIOException(string response, string what)
    {
        var failure = await Assert.ThrowsAsync<IOException>(async () =>
            await new ResponseReader(new Pieces(Encoding.ASCII.GetBytes(response), 3)).ReadAsync(MaxBody, Cancellation));
        Assert.Contains(what, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AnyBytes_EndsInAResponseOrAnErrorOfItsOwn() => Gen.OneOf(
            Gen.Byte.Array[0, 200],
            Gen.Int[0, Parts.Length - 1].Array[0, 12].Select(parts => Encoding.ASCII.GetBytes(string.Concat(parts.Select(part => Parts[part])))))
        .Select(Gen.Int[1, 50])
        .Sample((bytes, piece) =>
        {
            try
            {
                var read = new ResponseReader(new Pieces(bytes, piece)).ReadAsync(MaxBody, Cancellation).AsTask();
                return read.Wait(TimeSpan.FromSeconds(10)) && read.Result is { Status: >= 200 and <= 999, Body.Length: <= MaxBody };
            }
            catch (AggregateException e) when (e.InnerException is IOException or InvalidDataException)
            {
                return true;
            }
        }, iter: 20_000);

    /// <summary>A stream that gives at most so many bytes at a time.</summary>
    private sealed class Pieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}

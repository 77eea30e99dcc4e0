using System.IO.Pipelines;
using System.Text;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Lab.ServiceDefaults.Tests.Contracts;

public sealed class TextBodyTests
{
    [Theory]
    [InlineData("""{"text":"good"}""", "application/json", "good")]
    [InlineData("""{"other":[1,{"text":"no"}],"text":"yes"}""", "application/json; charset=utf-8", "yes")]
    [InlineData("""{"text":"\ud83d\ude00 ok"}""", "application/problem+json", "😀 ok")]
    [InlineData("naïve", "text/plain", "naïve")]
    [InlineData("""{"text":"as it is"}""", "text/plain; charset=\"utf-8\"", """{"text":"as it is"}""")]
    public async Task ReadAsync_GoodBody_GivesText(string body, string contentType, string expected)
    {
        var text = Text(await ReadAsync(Encoding.UTF8.GetBytes(body), contentType));
        Assert.Equal((expected, false), (text.Text, text.IsGenerated));
    }

    [Theory]
    [InlineData("""{"text":"a","text_pair":"b"}""", "b")]
    [InlineData("""{"text_pair":"\ud83d\ude00 文","text":"a"}""", "😀 文")]
    [InlineData("""{"text":"a","text_pair":null}""", null)]
    [InlineData("""{"text":"a","text_pairs":"b"}""", null)]
    [InlineData("""{"text":"a"}""", null)]
    public async Task ReadAsync_Pair_IsReadBesideTheText(string body, string? pair)
    {
        var read = Text(await ReadAsync(Encoding.UTF8.GetBytes(body), "application/json"));
        Assert.Equal(("a", pair), (read.Text, read.Pair));
    }

    [Theory]
    [InlineData("""{"text_pair":"b"}""", 400, "no member \"text\"")]
    [InlineData("""{"text":"","text_pair":"b"}""", 400, "The text is empty")]
    [InlineData("""{"text":"","text_pair":5}""", 400, "The text is empty")]
    [InlineData("""{"text":"a","text_pair":""}""", 400, "\"text_pair\" is empty")]
    [InlineData("""{"text":"a","text_pair":" \n"}""", 400, "\"text_pair\" is empty")]
    [InlineData("""{"text":"a","text_pair":"\udc00"}""", 400, "not valid Unicode")]
    [InlineData("""{"text":"a","text_pair":"b" """, 400, "not JSON")]
    [InlineData("""{"text":"a","text_pair":["b"]}""", 422, "\"text_pair\" is a list")]
    [InlineData("""{"text":"a","text_pair":{"text":"b"}}""", 422, "\"text_pair\" is not a string")]
    [InlineData("""{"text":"a","text_pair":5}""", 422, "\"text_pair\" is not a string")]
    [InlineData("""{"text":"a","text_pair":false}""", 422, "\"text_pair\" is not a string")]
    public async Task ReadAsync_BadPair_IsRefused(string body, int status, string detail)
    {
        var refusal = Refusal(await ReadAsync(Encoding.UTF8.GetBytes(body), "application/json"));
        Assert.Equal(status, refusal.Status);
        Assert.Contains(detail, refusal.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("application/json")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task ReadAsync_NoBody_GeneratesFiftyLettersAndSpaces(string? contentType)
    {
        var first = Text(await ReadAsync([], contentType));
        var second = Text(await ReadAsync([], contentType));
        Assert.True(first.IsGenerated);
        Assert.Equal(50, first.Text.Length);
        Assert.All(first.Text, c => Assert.True(char.IsAsciiLetter(c) || c == ' '));
        Assert.NotEqual(first.Text, second.Text);
    }

    [Theory]
    [InlineData("""{"text":""}""", "application/json", 400)]
    [InlineData("""{"text":"  \n"}""", "application/json", 400)]
    [InlineData("""{"text":null}""", "application/json", 400)]
    [InlineData("{}", "application/json", 400)]
    [InlineData("null", "application/json", 400)]
    [InlineData("{\"text\":", "application/json", 400)]
    [InlineData("{\"text\":\"a\"} x", "application/json", 400)]
    [InlineData("""{"text":"\ud800"}""", "application/json", 400)]
    [InlineData("""{"text":["a","b"]}""", "application/json", 422)]
    [InlineData("""{"text":5}""", "application/json", 422)]
    [InlineData("""["a","b"]""", "application/json", 422)]
    [InlineData("\"a\"", "application/json", 422)]
    [InlineData("[1", "application/json", 400)]
    [InlineData(" ", "text/plain", 400)]
    [InlineData("", "text/plain", 400)]
    [InlineData("a", "text/plain; charset=utf-16", 415)]
    [InlineData("a", "text/html", 415)]
    [InlineData("{\"text\":\"a\"}", null, 415)]
    [InlineData("{\"text\":\"a\"}", "application/x-www-form-urlencoded", 415)]
    [InlineData("a", "nonsense", 415)]
    public async Task ReadAsync_BadBody_IsRefused(string body, string? contentType, int status)
    {
        var refusal = Refusal(await ReadAsync(Encoding.UTF8.GetBytes(body), contentType));
        Assert.Equal(status, refusal.Status);
        Assert.NotEmpty(refusal.Detail);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    public async Task ReadAsync_InvalidUtf8_IsUnreadable(string contentType)
    {
        byte[] body = [.. "{\"text\":\"a"u8, 0xC3, 0x28, .. "\"}"u8];
        Assert.Equal(400, Refusal(await ReadAsync(body, contentType)).Status);
    }

    [Theory]
    [InlineData("""{"text":"good"}""", "application/json", "good")]
    [InlineData("good", "text/plain", "good")]
    [InlineData("good", "text/plain; charset=utf-8", "good")]
    // Only the first is a mark.
    [InlineData("\uFEFFgood", "text/plain", "\uFEFFgood")]
    public async Task ReadAsync_ByteOrderMark_IsNoPartOfTheText(string body, string contentType, string expected)
    {
        byte[] marked = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(body)];
        Assert.Equal(expected, Text(await ReadAsync(marked, contentType)).Text);
        // Byte by byte, as it may come over a network.
        var request = RequestOf([], contentType);
        var pipe = new Pipe();
        foreach (var one in marked) await pipe.Writer.WriteAsync(new[] { one }, TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        request.HttpContext.Features.Set<IRequestBodyPipeFeature>(new Body(pipe.Reader));
        Assert.Equal(expected, Text(await TextBody.ReadAsync(request, TestContext.Current.CancellationToken)).Text);
    }

    [Fact]
    public async Task ReadAsync_NothingButAByteOrderMark_IsEmpty()
    {
        Assert.Equal(400, Refusal(await ReadAsync([0xEF, 0xBB, 0xBF], "text/plain")).Status);
        Assert.True(Text(await ReadAsync([0xEF, 0xBB, 0xBF], "application/json")).IsGenerated);
    }

    [Fact]
    public async Task ReadAsync_ContentEncoding_IsUnsupported()
    {
        var request = RequestOf("abc"u8.ToArray(), "text/plain");
        request.Headers.ContentEncoding = "gzip";
        var read = await TextBody.ReadAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(415, Refusal(read).Status);
    }

    private static TextBody Text(Result<TextBody> read)
    {
        Assert.True(read.TryGet(out var body, out var refusal), refusal?.Detail);
        return body;
    }

    private sealed record Body(PipeReader Reader) : IRequestBodyPipeFeature;

    private static Refusal Refusal(Result<TextBody> read)
    {
        Assert.False(read.TryGet(out _, out var refusal));
        return refusal;
    }

    private static ValueTask<Result<TextBody>> ReadAsync(byte[] body, string? contentType) =>
        TextBody.ReadAsync(RequestOf(body, contentType), TestContext.Current.CancellationToken);

    private static HttpRequest RequestOf(byte[] body, string? contentType)
    {
        var request = new DefaultHttpContext().Request;
        request.Body = new MemoryStream(body);
        request.ContentType = contentType;
        return request;
    }
}

using System.IO.Pipelines;
using System.Net;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Lab.ServiceDefaults.Tests.Contracts;

public sealed class BodyMemoryTests
{
    private const long Kilobyte = 1024;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void TryHold_UntilTheLimit_AndAgainAfterDisposal()
    {
        var memory = new BodyMemory(100 * Kilobyte);
        using var first = memory.Rent();
        Assert.True(first.TryHold(80 * Kilobyte));
        Assert.True(first.TryHold(80 * Kilobyte));
        using (var second = memory.Rent())
        {
            Assert.True(second.TryHold(16 * Kilobyte));
            Assert.False(second.TryHold(80 * Kilobyte));
        }

        first.Dispose();
        Assert.Equal(0, memory.Held);
        using var third = memory.Rent();
        Assert.True(third.TryHold(100 * Kilobyte));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_BodiesThatDoNotFitTogether_AreRefusedWithRetryAfter(bool tellsItsLength)
    {
        var memory = new BodyMemory(100 * Kilobyte);
        await using var services = new ServiceCollection().AddSingleton(memory).BuildServiceProvider();
        // One that has sent most of its body and then nothing more.
        var slow = new Pipe(new(pauseWriterThreshold: 0));
        await slow.Writer.WriteAsync(new byte[90 * Kilobyte], Cancellation);
        var waiting = TextBody.ReadAsync(RequestOf(services, slow.Reader, tellsItsLength ? 90 * Kilobyte + 1 : null), Cancellation).AsTask();
        Assert.True(memory.Held > 0);

        var body = PipeReader.Create(new(Enumerable.Repeat((byte)'a', 90 * 1024).ToArray()));
        Assert.False((await TextBody.ReadAsync(RequestOf(services, body, tellsItsLength ? 90 * Kilobyte : null), Cancellation)).TryGet(out _, out var refusal));
        Assert.Equal((int)HttpStatusCode.ServiceUnavailable, refusal!.Status);
        Assert.NotNull(refusal.RetryAfter);
        var json = RequestOf(services, PipeReader.Create(new(new byte[90 * 1024])), tellsItsLength ? 90 * Kilobyte : null, "application/json");
        Assert.False((await JsonBody.ReadAsync(json, Cancellation)).TryGet(out _, out var same));
        Assert.Equal(refusal, same);

        // Small ones are nobody's burden.
        Assert.True((await TextBody.ReadAsync(RequestOf(services, PipeReader.Create(new("small"u8.ToArray())), 5), Cancellation)).TryGet(out _, out _));
        await slow.Writer.WriteAsync("a"u8.ToArray(), Cancellation);
        await slow.Writer.CompleteAsync();
        await waiting;
        Assert.Equal(0, memory.Held);
    }

    private static HttpRequest RequestOf(IServiceProvider services, PipeReader body, long? length, string contentType = "text/plain")
    {
        var context = new DefaultHttpContext { RequestServices = services };
        context.Features.Set<Microsoft.AspNetCore.Http.Features.IRequestBodyPipeFeature>(new Body(body));
        context.Request.Body = body.AsStream(leaveOpen: true);
        context.Features.Set<Microsoft.AspNetCore.Http.Features.IRequestBodyPipeFeature>(new Body(body));
        context.Request.ContentLength = length;
        context.Request.ContentType = contentType;
        return context.Request;
    }

    private sealed record Body(PipeReader Reader) : Microsoft.AspNetCore.Http.Features.IRequestBodyPipeFeature;
}

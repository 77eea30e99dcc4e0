using System.Buffers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lab.ServiceDefaults.Requests;

/// <summary>
/// Has clients that write their whole body before they read see why it is refused. A connection that is closed while they
/// still write is reset, and the answer lost: what is too large is answered first, then read and dropped within bounds.
/// </summary>
public static class BodyLimit
{
    /// <summary>How many bytes of a refused body are read and dropped; then the connection is closed.</summary>
    internal const long MaxDroppedBytes = 64L * 1024 * 1024;

    private const int BufferSize = 64 * 1024;

    // nginx's own values for the same (lingering_time, lingering_timeout).
    private static readonly TimeSpan MaxDropTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxDropPause = TimeSpan.FromSeconds(5);

    // Who asked whether to send it has been told not to.
    private static readonly TimeSpan MaxDropPauseUnasked = TimeSpan.FromSeconds(1);

    /// <summary>Limits bodies to what the server is set to. Stands before whatever reads them.</summary>
    public static void UseBodyLimit(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var stopping = app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        app.Use((context, next) =>
        {
            // A body whose length is told and right is left to the server.
            var size = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
            if (size is not { IsReadOnly: false, MaxRequestBodySize: { } limit } || !MayExceed(context, limit)) return next(context);
            return LimitAsync(context, size, limit, next, stopping);
        });
    }

    private static bool MayExceed(HttpContext context, long limit) => context.Request.ContentLength is { } length
        ? length > limit
        : context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true && !HttpMethods.IsConnect(context.Request.Method);

    private static async Task LimitAsync(HttpContext context, IHttpMaxRequestBodySizeFeature size, long limit, RequestDelegate next, CancellationToken stopping)
    {
        var request = context.Request;
        var isTooLarge = request.ContentLength is not null;
        // The server's own limit remains for chunks, whose framing may be larger than what is in them.
        size.MaxRequestBodySize = isTooLarge ? null : limit + MaxDroppedBytes;
        using var body = new LimitedBody(request.Body, context.Response, limit, isTooLarge);
        request.Body = body;
        context.Features.Set<IHttpMaxRequestBodySizeFeature>(body);
        if (isTooLarge)
        {
            body.CloseAfterwards();
            // What is not going to be kept needs no room.
            request.ContentLength = null;
        }

        await next(context);
        if (body.IsAtEnd || context.RequestAborted.IsCancellationRequested) return;
        var hasMore = await DropRestAsync(context, body.Inner, stopping);
        // Over HTTP/2 the client hears of an answer that does not need the rest (RFC 9113, 8.1), and the connection is not this request's alone.
        if (hasMore && body.IsOfHttp1) context.Abort();
    }

    // Returns whether bytes or time have run out, so that the answer has long been sent and the client will not end.
    private static async Task<bool> DropRestAsync(HttpContext context, Stream body, CancellationToken stopping)
    {
        var pause = context.Request.Headers.Expect.Count > 0 ? MaxDropPauseUnasked : MaxDropPause;
        using var time = new CancellationTokenSource(MaxDropTime);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, time.Token, stopping);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            await context.Response.CompleteAsync();
            for (var dropped = 0L; dropped < MaxDroppedBytes;)
            {
                over.CancelAfter(pause);
                var read = await body.ReadAsync(buffer, over.Token);
                if (read == 0) return false;
                dropped += read;
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return !context.RequestAborted.IsCancellationRequested && !stopping.IsCancellationRequested;
        }
        catch (IOException)
        {
            // What comes is no body, or the client has gone: the server ends the connection by itself once the answer is sent.
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

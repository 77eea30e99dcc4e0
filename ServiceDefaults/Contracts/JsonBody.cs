using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>Reads the JSON bodies of the standard protocols.</summary>
internal static class JsonBody
{
    private const int BufferSize = 16 * 1024;

    /// <summary>The whole body, or why it is not taken: 400, 408, 413 or 415.</summary>
    public static async Task<Result<ReadOnlyMemory<byte>>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.Headers.ContentEncoding.Count > 0)
            return Refusal.UnsupportedMediaType("Send the body without Content-Encoding.");
        if (!string.IsNullOrEmpty(request.ContentType) && !IsJson(request.ContentType))
            return Refusal.UnsupportedMediaType("Send Content-Type: application/json.");
        try
        {
            using var memory = request.HttpContext.RequestServices?.GetService<BodyMemory>()?.Rent();
            if (memory?.TryHold(request.ContentLength ?? 0) == false) return BodyMemory.Refusal;
            using var body = new MemoryStream(memory?.BytesAhead(request) ?? 0);
            var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
            try
            {
                while (await request.Body.ReadAsync(buffer, cancellationToken) is > 0 and var read)
                {
                    if (memory?.TryHold(body.Length + read) == false) return BodyMemory.Refusal;
                    body.Write(buffer, 0, read);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            return (ReadOnlyMemory<byte>)body.GetBuffer().AsMemory(0, (int)body.Length);
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode is StatusCodes.Status413PayloadTooLarge
                ? Refusal.TooLarge(request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize)
                : new Refusal(e.StatusCode, "Unreadable body", e.Message);
        }
    }

    /// <summary>Reads a document by means of a parser that throws <see cref="RefusedException"/>.</summary>
    public static Result<T> Parse<T>(ReadOnlyMemory<byte> body, Func<JsonElement, T> parse)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(ByteOrderMark.Skip(body));
            return parse(document.RootElement);
        }
        catch (RefusedException e)
        {
            return e.Refusal;
        }
        catch (JsonException e)
        {
            return Refusal.Unreadable($"The body is not JSON: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // The reader's word for bytes that are not UTF-8 and for an escaped surrogate without its other half.
            return Refusal.Unreadable("A text is not valid Unicode: invalid UTF-8 or a lone surrogate.");
        }
    }

    private static bool IsJson(string contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase));
}

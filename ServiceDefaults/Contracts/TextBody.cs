using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>
/// The body of <c>POST /new_request</c> and <c>POST /run_model</c>: <c>{"text":"…"}</c>, of a pair of texts
/// <c>{"text":"…","text_pair":"…"}</c>, or plain text in UTF-8, or nothing, for which 50 random letters and spaces are generated.
/// </summary>
/// <param name="Utf8">The text to classify in UTF-8, or the first of a pair; valid and never empty.</param>
/// <param name="IsGenerated">Whether the client sent nothing, so that the text was generated.</param>
/// <param name="Pair">The second text of a pair, valid Unicode and never empty; <c>null</c> where there is one text alone.</param>
public readonly record struct TextBody(ReadOnlyMemory<byte> Utf8, bool IsGenerated, string? Pair = null)
{
    /// <summary>The text, decoded anew each time.</summary>
    public string Text => Encoding.UTF8.GetString(Utf8.Span);

    private const int RandomTextLength = 50;
    private static ReadOnlySpan<byte> Alphabet => "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ        "u8;

    private enum Form { None, Json, PlainText }

    /// <summary>Reads and checks the body. The server's body limit decides what is too large.</summary>
    /// <param name="request">The request, its body not yet read.</param>
    /// <param name="cancellationToken">Cancelled when the client hangs up.</param>
    /// <returns>The text, or why there is none: 400, 408, 413, 415 or 422.</returns>
    public static async ValueTask<Result<TextBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (FormOf(request, out var form) is { } refusal) return refusal;
        try
        {
            using var memory = request.HttpContext.RequestServices?.GetService<BodyMemory>()?.Rent();
            if (memory?.TryHold(request.ContentLength ?? 0) == false) return BodyMemory.Refusal;
            return await ReadToEndAsync(request.BodyReader, form, memory?.BytesAhead(request) ?? 0, memory, cancellationToken);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return Refusal.TooLarge(request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize);
        }
        catch (BadHttpRequestException e)
        {
            return new Refusal(e.StatusCode, "Unreadable body", e.Message);
        }
    }

    private static Refusal? FormOf(HttpRequest request, out Form form)
    {
        form = Form.None;
        if (request.Headers.ContentEncoding.Count > 0)
            return Refusal.UnsupportedMediaType("Send the body without Content-Encoding.");
        if (string.IsNullOrEmpty(request.ContentType)) return null;
        // What nearly all send, word for word.
        form = request.ContentType switch { "application/json" => Form.Json, "text/plain" => Form.PlainText, _ => Form.None };
        if (form is not Form.None) return null;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
            return Refusal.UnsupportedMediaType("The Content-Type header is not a media type.");
        var charset = HeaderUtilities.RemoveQuotes(type.Charset).Value;
        if (!string.IsNullOrEmpty(charset)
            && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            && !charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase))
            return Refusal.UnsupportedMediaType($"The charset is {charset}; send UTF-8.");
        if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)) form = Form.Json;
        else if (type.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase)) form = Form.PlainText;
        return null;
    }

    // What has come is taken out of the pipe at once: when a body is cut off the server cannot give back what was only looked at.
    private static async ValueTask<Result<TextBody>> ReadToEndAsync(PipeReader reader, Form form, int bytes, BodyMemory.Lease? memory, CancellationToken cancellationToken)
    {
        ArrayBufferWriter<byte>? before = null;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            try
            {
                if (memory?.TryHold((before?.WrittenCount ?? 0) + read.Buffer.Length) == false) return BodyMemory.Refusal;
                if (read.IsCompleted && before is null) return Parse(read.Buffer, form, isOwn: false);
                // As large as it will be, where that is counted: growing takes three times as much.
                before ??= bytes > 0 ? new(bytes) : new();
                foreach (var part in read.Buffer) before.Write(part.Span);
                if (read.IsCompleted) return Parse(new(before.WrittenMemory), form, isOwn: before.FreeCapacity == 0);
            }
            finally
            {
                reader.AdvanceTo(read.Buffer.End);
            }
        }
    }

    private static Result<TextBody> Parse(ReadOnlySequence<byte> body, Form form, bool isOwn)
    {
        body = ByteOrderMark.Skip(body);
        if (body.IsEmpty)
            return form is Form.PlainText ? Refusal.EmptyText("The body has no text.") : new TextBody(RandomText(), IsGenerated: true);
        try
        {
            return form switch
            {
                Form.Json => ParseJson(body),
                // A megabyte is not copied where it may be kept.
                Form.PlainText => Checked(isOwn ? body.First : body.ToArray()),
                _ => Refusal.UnsupportedMediaType(
                    "Send {\"text\":\"…\"} with Content-Type: application/json, or the text itself with Content-Type: text/plain."),
            };
        }
        catch (JsonException e)
        {
            return Refusal.Unreadable($"The body is not JSON: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // The reader's word for bytes that are not UTF-8 and for an escaped surrogate without its other half.
            return Refusal.Unreadable("The text is not valid Unicode: invalid UTF-8 or a lone surrogate.");
        }
    }

    private static Result<TextBody> ParseJson(ReadOnlySequence<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        reader.Read();
        if (reader.TokenType is JsonTokenType.Null)
            return Finish(ref reader, Refusal.Unreadable("The body is null; send {\"text\":\"…\"}."));
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            reader.Skip();
            return Finish(ref reader, Refusal.Impossible("The body is not an object; send {\"text\":\"…\"}, one text a request."));
        }

        Result<TextBody>? found = null;
        string? pair = null;
        Refusal? badPair = null;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isText = reader.ValueTextEquals("text"u8);
            var isPair = !isText && reader.ValueTextEquals("text_pair"u8);
            reader.Read();
            if (isText)
            {
                found = reader.TokenType switch
                {
                    JsonTokenType.String => Checked(Unescaped(ref reader)),
                    JsonTokenType.Null => Refusal.EmptyText("The member \"text\" is null."),
                    JsonTokenType.StartArray => Refusal.Impossible("The member \"text\" is a list; send one text a request."),
                    _ => Refusal.Impossible("The member \"text\" is not a string."),
                };
            }
            else if (isPair) badPair = ReadPair(ref reader, out pair);

            reader.Skip();
        }

        var result = found ?? Refusal.EmptyText("The object has no member \"text\".");
        if (result.TryGet(out var one, out _)) result = badPair is null ? one with { Pair = pair } : badPair;
        return Finish(ref reader, result);
    }

    private static Refusal? ReadPair(ref Utf8JsonReader reader, out string? pair)
    {
        pair = reader.TokenType is JsonTokenType.String ? reader.GetString() : null;
        return reader.TokenType switch
        {
            JsonTokenType.Null => null,
            JsonTokenType.String => string.IsNullOrWhiteSpace(pair) ? Refusal.EmptyText("The member \"text_pair\" is empty; leave it out where there is one text alone.") : null,
            JsonTokenType.StartArray => Refusal.Impossible("The member \"text_pair\" is a list; send one second text a request."),
            _ => Refusal.Impossible("The member \"text_pair\" is not a string."),
        };
    }

    // Reading on to the end makes anything behind the value an error too.
    private static Result<TextBody> Finish(ref Utf8JsonReader reader, Result<TextBody> result)
    {
        reader.Read();
        return result;
    }

    private static byte[] Unescaped(ref Utf8JsonReader reader)
    {
        // An escape is never shorter than what it stands for.
        var text = new byte[reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length];
        var length = reader.CopyString(text);
        if (length < text.Length) Array.Resize(ref text, length);
        return text;
    }

    private static Result<TextBody> Checked(ReadOnlyMemory<byte> text) =>
        !System.Text.Unicode.Utf8.IsValid(text.Span) ? Refusal.Unreadable("The body is not valid UTF-8.")
        : IsWhiteSpace(text.Span) ? Refusal.EmptyText("The text is empty.")
        : new TextBody(text, IsGenerated: false);

    private static bool IsWhiteSpace(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            Rune.DecodeFromUtf8(text, out var rune, out var length);
            if (!Rune.IsWhiteSpace(rune)) return false;
            text = text[length..];
        }

        return true;
    }

    private static byte[] RandomText()
    {
        var text = Random.Shared.GetItems<byte>(Alphabet, RandomTextLength);
        return IsWhiteSpace(text) ? RandomText() : text;
    }
}

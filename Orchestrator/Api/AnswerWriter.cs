using System.Buffers;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Api;

/// <summary>Writes answers with their length and at one stroke, by a writer that each thread keeps.</summary>
internal static class AnswerWriter
{
    private const int FirstBuffer = 1024;

    // What a large text has needed is not kept for the small ones after it.
    private const int LargestKeptBuffer = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    public static Task WriteAsync(HttpContext context, RequestAnswer answer)
    {
        var buffer = _buffer is { Capacity: <= LargestKeptBuffer } kept ? kept : _buffer = new(FirstBuffer);
        var writer = _writer ??= new(buffer, new() { Encoder = WireJson.Relaxed.Options.Encoder, SkipValidation = true });
        buffer.ResetWrittenCount();
        writer.Reset(buffer);
        JsonSerializer.Serialize(writer, answer, WireJson.Relaxed.RequestAnswer);
        writer.Flush();
        var response = context.Response;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = buffer.WrittenCount;
        // What is written is copied before this call returns, so that the buffer is free for the thread's next answer.
        return response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted).AsTask();
    }
}

using System.Text.Json;
using System.Text.Unicode;

namespace Lab.Worker.Checkpoints;

/// <summary>Small JSON files of a model directory.</summary>
internal static class JsonFile
{
    // Which of two members of one name counts is a matter of the reader.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Parses a file of at most <paramref name="maxBytes"/> bytes, all of whose strings can be read.</summary>
    /// <exception cref="ModelDirectoryException">The file is missing, unreadable, too large or not JSON.</exception>
    public static JsonDocument Read(string path, int maxBytes)
    {
        var json = RegularFile.Read(path, maxBytes).AsMemory();
        if (json.Span.StartsWith(ByteOrderMark)) json = json[ByteOrderMark.Length..];
        if (!Utf8.IsValid(json.Span)) throw new ModelDirectoryException(path, "is not JSON: it is not valid UTF-8");
        try
        {
            CheckStrings(path, json.Span);
            return JsonDocument.Parse(json, Strict);
        }
        catch (JsonException e)
        {
            throw new ModelDirectoryException(path, $"is not JSON: {e.Message}");
        }
    }

    // JSON may escape half of a pair of surrogates, which no string can hold: whoever asks for it later would fail there.
    private static void CheckStrings(string path, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped) continue;
            try
            {
                _ = reader.GetString();
            }
            catch (InvalidOperationException)
            {
                throw new ModelDirectoryException(path, $"is not JSON: a string before byte {reader.BytesConsumed} has half of a surrogate pair");
            }
        }
    }
}

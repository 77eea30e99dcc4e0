using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="ElementType">The element type by the format's name, for instance <c>F32</c>.</param>
/// <param name="Shape">The dimensions, outermost first.</param>
/// <param name="Begin">First byte within the data section.</param>
/// <param name="End">One past the last byte within the data section.</param>
internal sealed record SafetensorsEntry(string Name, string ElementType, IReadOnlyList<long> Shape, long Begin, long End);

/// <summary>
/// The JSON header of a safetensors file (https://github.com/huggingface/safetensors#format), checked so that
/// every entry lies within the file, has the size its shape and type give, and shares no byte with another.
/// </summary>
internal static class SafetensorsHeader
{
    // As the format demands.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The member of the header that is no tensor.</summary>
    public const string MetadataName = "__metadata__";

    /// <summary>Reads the header's entries.</summary>
    /// <param name="path">The file to name in messages.</param>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataBytes">The size of the data section that follows the header.</param>
    /// <exception cref="ModelDirectoryException">The header contradicts the format or the file.</exception>
    public static IReadOnlyDictionary<string, SafetensorsEntry> Read(string path, ReadOnlyMemory<byte> json, long dataBytes)
    {
        var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
                throw new ModelDirectoryException(path, "the header is not a JSON object");
            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (member.NameEquals(MetadataName))
                {
                    CheckMetadata(path, member.Value);
                    continue;
                }

                entries.Add(member.Name, Entry(path, member.Name, member.Value, dataBytes));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ModelDirectoryException(path, $"the header is not JSON: {e.Message}");
        }

        CheckOverlap(path, entries.Values, dataBytes);
        return entries;
    }

    // By "format" transformers tells matrices apart that are stored the other way round: those of TensorFlow and of Flax.
    private static void CheckMetadata(string path, JsonElement metadata)
    {
        if (metadata.ValueKind is not JsonValueKind.Object || metadata.EnumerateObject().Any(member => member.Value.ValueKind is not JsonValueKind.String))
            throw new ModelDirectoryException(path, $"the header's {MetadataName} is not an object of strings");
        if (metadata.TryGetProperty("format", out var format) && format.GetString() is var name and not ("pt" or "mlx"))
            throw new ModelDirectoryException(path, $"the header's {MetadataName}.format is \"{name}\"; only pt can be served");
    }

    private static SafetensorsEntry Entry(string path, string name, JsonElement value, long dataBytes)
    {
        if (value.ValueKind is not JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var type) || type.ValueKind is not JsonValueKind.String
            || !value.TryGetProperty("shape", out var shapeValue) || Numbers(shapeValue) is not { } shape
            || !value.TryGetProperty("data_offsets", out var offsetsValue) || Numbers(offsetsValue) is not [var begin, var end])
            throw new ModelDirectoryException(path, name, "its header entry needs dtype, shape and two data_offsets");
        var elementType = type.GetString()!;
        var elementBytes = ElementBytes(elementType)
            ?? throw new ModelDirectoryException(path, name, $"has the unknown element type \"{elementType}\"");
        if (begin > end || end > dataBytes)
            throw new ModelDirectoryException(path, name, $"its bytes {begin} to {end} are not within the file's {dataBytes} bytes of data");
        if (Bytes(shape, elementBytes) is not { } bytes || bytes != end - begin)
            throw new ModelDirectoryException(path, name,
                $"its shape {Describe(shape)} of {elementType} does not fill the {end - begin} bytes it has");
        return new(name, elementType, shape, begin, end);
    }

    private static void CheckOverlap(string path, IEnumerable<SafetensorsEntry> entries, long dataBytes)
    {
        long reached = 0;
        foreach (var entry in entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin < reached) throw new ModelDirectoryException(path, entry.Name, "its bytes overlap another tensor's");
            if (entry.Begin > reached) throw new ModelDirectoryException(path, entry.Name, "there is a hole before its bytes");
            reached = entry.End;
        }

        if (reached != dataBytes)
            throw new ModelDirectoryException(path, $"the tensors end at byte {reached} of {dataBytes} bytes of data");
    }

    /// <summary>A shape as in messages: <c>[2, 128]</c>.</summary>
    public static string Describe(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";

    private static long[]? Numbers(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Array) return null;
        var numbers = new List<long>();
        // Not by index: that begins from the front each time where an element has elements of its own.
        foreach (var element in value.EnumerateArray())
        {
            if (element.ValueKind is not JsonValueKind.Number || !element.TryGetInt64(out var number) || number < 0) return null;
            numbers.Add(number);
        }

        return [.. numbers];
    }

    private static long? Bytes(long[] shape, int elementBytes)
    {
        try
        {
            return shape.Aggregate((long)elementBytes, (product, dimension) => checked(product * dimension));
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private static int? ElementBytes(string type) => type switch
    {
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => 1,
        "U16" or "I16" or "F16" or "BF16" => 2,
        "U32" or "I32" or "F32" => 4,
        "U64" or "I64" or "F64" or "C64" => 8,
        _ => null,
    };
}

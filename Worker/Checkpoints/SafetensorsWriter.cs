using System.Buffers.Binary;
using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>How a tensor's elements are stored.</summary>
internal enum StoredType
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>bfloat16: the upper half of a binary32, rounded.</summary>
    BF16,
}

/// <summary>Writes safetensors files, one tensor after the other, so that only one row of numbers is in memory.</summary>
internal static class SafetensorsWriter
{
    private const int Alignment = 8;
    private const int ChunkElements = 1 << 14;

    /// <summary>Writes a file.</summary>
    /// <param name="path">The file; one that exists is replaced.</param>
    /// <param name="tensors">Names and shapes, in the order in which they are stored.</param>
    /// <param name="type">How all of them are stored.</param>
    /// <param name="fill">Gives the next elements of a tensor, called with consecutive parts of it.</param>
    public static void Write(string path, IReadOnlyList<TensorShape> tensors, StoredType type, Action<TensorShape, Span<float>> fill)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        var header = Header(tensors, type);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        file.Write(length);
        file.Write(header);

        var values = new float[ChunkElements];
        var bytes = new byte[ChunkElements * sizeof(float)];
        foreach (var tensor in tensors)
        {
            for (var left = Count(tensor); left > 0; left -= ChunkElements)
            {
                var chunk = values.AsSpan(0, (int)Math.Min(left, ChunkElements));
                fill(tensor, chunk);
                file.Write(bytes.AsSpan(0, Encode(chunk, type, bytes)));
            }
        }
    }

    private static byte[] Header(IReadOnlyList<TensorShape> tensors, StoredType type)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject(SafetensorsHeader.MetadataName);
            writer.WriteString("format", "pt");
            writer.WriteEndObject();
            long begin = 0;
            foreach (var tensor in tensors)
            {
                var end = begin + Count(tensor) * Bytes(type);
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", type.ToString());
                Numbers("shape", tensor.Shape);
                Numbers("data_offsets", [begin, end]);
                writer.WriteEndObject();
                begin = end;
            }

            writer.WriteEndObject();

            void Numbers(string name, IReadOnlyList<long> numbers)
            {
                writer.WriteStartArray(name);
                foreach (var number in numbers) writer.WriteNumberValue(number);
                writer.WriteEndArray();
            }
        }

        // Spaces bring the data to an address at which floats can be used in place.
        while (json.Length % Alignment != 0) json.WriteByte((byte)' ');
        return json.ToArray();
    }

    private static int Encode(ReadOnlySpan<float> values, StoredType type, Span<byte> bytes)
    {
        for (var i = 0; i < values.Length; i++)
        {
            switch (type)
            {
                case StoredType.F32:
                    BinaryPrimitives.WriteSingleLittleEndian(bytes[(i * 4)..], values[i]);
                    break;
                case StoredType.F16:
                    BinaryPrimitives.WriteHalfLittleEndian(bytes[(i * 2)..], (Half)values[i]);
                    break;
                default:
                    BinaryPrimitives.WriteUInt16LittleEndian(bytes[(i * 2)..], ToBFloat16(values[i]));
                    break;
            }
        }

        return values.Length * Bytes(type);
    }

    // To nearest, ties to even.
    private static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static long Count(TensorShape tensor) => tensor.Shape.Aggregate(1L, (product, dimension) => product * dimension);

    private static int Bytes(StoredType type) => type is StoredType.F32 ? 4 : 2;
}

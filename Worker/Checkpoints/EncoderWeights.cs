using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lab.Worker.Checkpoints;

/// <summary>What a weight's elements are: 32-bit floats, 16-bit floats, or signed bytes.</summary>
internal enum WeightType { Float, Half, Int8 }

/// <summary>Weights in memory, row-major.</summary>
/// <param name="Name">The name in the graph.</param>
/// <param name="Shape">The dimensions, outermost first.</param>
/// <param name="Address">The first element; valid as long as the <see cref="EncoderWeights"/> it came from.</param>
/// <param name="Type">What the elements are.</param>
internal sealed record Weight(string Name, IReadOnlyList<long> Shape, nint Address, WeightType Type = WeightType.Float)
{
    /// <summary>The size of all elements in bytes.</summary>
    public long Bytes => Shape.Aggregate(ElementBytes, (product, dimension) => product * dimension);

    private long ElementBytes => Type switch { WeightType.Int8 => 1, WeightType.Half => 2, _ => 4 };
}

/// <summary>
/// The weights of a DistilBERT classifier. Of large files tensors stored as F32 are used where the mapped file has them; all
/// others are copied into memory of this object's own.
/// </summary>
internal sealed unsafe class EncoderWeights : IDisposable
{
    /// <summary>The file's name within a model directory.</summary>
    public const string FileName = WeightFiles.FileName;

    private const int Alignment = 64;

    // Smaller files are copied: a model that is written over while it is served changes no answer, and ends no worker. Larger
    // ones are compiled into the cache, or else the memory is worth more.
    private const long MinMappedBytes = 16 << 20;

    private readonly WeightFiles _file;
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);
    private readonly List<nint> _owned = [];

    private EncoderWeights(WeightFiles file) => _file = file;

    /// <summary>The model directory, as an absolute path.</summary>
    public string Directory => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

    /// <summary>The path of the file, or of the index where there are several.</summary>
    public string Path => _file.Path;

    /// <summary>The size of all files in bytes.</summary>
    public long FileBytes => _file.FileBytes;

    /// <summary>
    /// Opens <c>model.safetensors</c>, or its shards, and checks that each tensor is there, in shape, of a type that can be
    /// read, and that no other is there which would count in another model.
    /// </summary>
    /// <exception cref="ModelDirectoryException">A file is broken, or a tensor is missing, misshapen or too many.</exception>
    public static EncoderWeights Open(string directory, EncoderConfig config)
    {
        var weights = new EncoderWeights(WeightFiles.Open(directory));
        try
        {
            foreach (var tensor in EncoderTensors.Of(config)) weights.Find(tensor);
            weights.RefuseOthers();
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>SHA-256 of all files, as <see cref="WeightFiles.Sha256"/> gives it.</summary>
    public string Sha256(Func<string, Func<string>, string>? remember = null) => _file.Sha256(remember);

    /// <summary>Refuses files that were changed since they were opened; to be called once all is read.</summary>
    /// <exception cref="ModelDirectoryException">One was.</exception>
    public void CheckUnchanged() => _file.CheckUnchanged();

    /// <summary>One tensor.</summary>
    /// <param name="name">The name without the prefix <c>distilbert.</c>, one of <see cref="EncoderTensors.Of"/>.</param>
    /// <exception cref="ModelDirectoryException">An element is not finite.</exception>
    public Weight Get(string name)
    {
        var entry = _entries[name];
        var bytes = _file.Bytes(entry);
        if (FileBytes >= MinMappedBytes && IsUsableInPlace(entry, bytes))
        {
            CheckFinite(entry, MemoryMarshal.Cast<byte, float>(bytes));
            return new(name, entry.Shape, (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)));
        }

        var count = checked((int)Count(entry));
        var address = Allocate((long)count * sizeof(float));
        CopyTo(entry, new((float*)address, count));
        return new(name, entry.Shape, address);
    }

    /// <summary>Several tensors of equal width, one below the other.</summary>
    /// <param name="stacked">The name of the result in the graph.</param>
    /// <param name="names">The tensors from top to bottom.</param>
    /// <exception cref="ModelDirectoryException">An element is not finite.</exception>
    public Weight Stack(string stacked, params ReadOnlySpan<string> names)
    {
        long rows = 0;
        var count = 0;
        foreach (var name in names)
        {
            rows += _entries[name].Shape[0];
            count = checked(count + (int)Count(_entries[name]));
        }

        var address = Allocate((long)count * sizeof(float));
        var rest = new Span<float>((float*)address, count);
        foreach (var name in names)
        {
            var entry = _entries[name];
            CopyTo(entry, rest);
            rest = rest[(int)Count(entry)..];
        }

        return new(stacked, [rows, .. _entries[names[0]].Shape.Skip(1)], address);
    }

    /// <summary>
    /// One tensor in 16-bit floats, which keep 11 significant bits; as <see cref="Get"/> gives it where an element is too
    /// large for that.
    /// </summary>
    /// <param name="name">As for <see cref="Get"/>.</param>
    /// <exception cref="ModelDirectoryException">An element is not finite.</exception>
    public Weight GetHalf(string name)
    {
        var weight = Get(name);
        var count = checked((int)(weight.Bytes / sizeof(float)));
        var values = new ReadOnlySpan<float>((float*)weight.Address, count);
        if (Math.Abs(TensorPrimitives.MaxMagnitude(values)) > (float)Half.MaxValue) return weight;
        var address = Allocate((long)count * sizeof(Half));
        TensorPrimitives.ConvertToHalf(values, new((Half*)address, count));
        return weight with { Address = address, Type = WeightType.Half };
    }

    /// <summary>
    /// Several matrices of equal width, one below the other, as 8-bit numbers: transposed, so that their rows, which
    /// are output channels, become columns, each with a scale of its own (<see cref="WeightQuantizer"/>).
    /// </summary>
    /// <param name="quantized">The name of the result in the graph.</param>
    /// <param name="levels">The largest magnitude of an element, 1 to 127.</param>
    /// <param name="names">The matrices from top to bottom, each [out, in].</param>
    /// <returns>The elements, [in, out of all], and the scales, [out of all].</returns>
    /// <exception cref="ModelDirectoryException">An element is not finite.</exception>
    public (Weight Matrix, Weight Scales) Quantize(string quantized, int levels, params ReadOnlySpan<string> names)
    {
        var columns = 0;
        foreach (var name in names) columns = checked(columns + (int)_entries[name].Shape[0]);
        var rows = (int)_entries[names[0]].Shape[1];
        var matrix = Allocate((long)rows * columns);
        var scales = Allocate((long)columns * sizeof(float));
        var first = 0;
        float[] copy = [];
        foreach (var name in names)
        {
            var entry = _entries[name];
            var bytes = _file.Bytes(entry);
            var count = checked((int)Count(entry));
            ReadOnlySpan<float> values;
            if (IsUsableInPlace(entry, bytes))
            {
                values = MemoryMarshal.Cast<byte, float>(bytes);
                CheckFinite(entry, values);
            }
            else
            {
                if (copy.Length < count) copy = new float[count];
                CopyTo(entry, copy);
                values = copy.AsSpan(0, count);
            }

            WeightQuantizer.Quantize(values, rows, levels, new((sbyte*)matrix, checked(rows * columns)), columns, first, new((float*)scales + first, count / rows));
            first += count / rows;
        }

        return (new(quantized, [rows, columns], matrix, WeightType.Int8), new($"{quantized}.scale", [columns], scales));
    }

    /// <summary>Frees the memory; every <see cref="Weight"/> dangles from now on.</summary>
    public void Dispose()
    {
        foreach (var address in _owned) NativeMemory.AlignedFree((void*)address);
        _owned.Clear();
        _file.Dispose();
    }

    private void Find(TensorShape tensor)
    {
        var prefixed = EncoderTensors.IsOfEncoder(tensor.Name) ? EncoderTensors.Prefix + tensor.Name : tensor.Name;
        if (!_file.Entries.TryGetValue(prefixed, out var entry) && !_file.Entries.TryGetValue(tensor.Name, out entry))
            throw new ModelDirectoryException(_file.Path, prefixed, "is missing");
        if (!entry.Shape.SequenceEqual(tensor.Shape))
            throw new ModelDirectoryException(_file.PathOf(entry), entry.Name,
                $"has the shape {SafetensorsHeader.Describe(entry.Shape)}, but {EncoderConfig.FileName} asks for {SafetensorsHeader.Describe(tensor.Shape)}");
        if (entry.ElementType is not ("F32" or "F16" or "BF16"))
            throw new ModelDirectoryException(_file.PathOf(entry), entry.Name, $"is stored as {entry.ElementType}; F32, F16 and BF16 can be read");
        _entries.Add(tensor.Name, entry);
    }

    private void RefuseOthers()
    {
        var found = _entries.Values.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var entry in _file.Entries.Values)
        {
            if (!found.Contains(entry.Name) && !EncoderTensors.IsOfNoConcern(entry.Name))
                throw new ModelDirectoryException(_file.PathOf(entry), entry.Name, $"is none that the model of {EncoderConfig.FileName} has, and what it is for is not known");
        }
    }

    private static long Count(SafetensorsEntry entry) => entry.Shape.Aggregate(1L, (product, dimension) => product * dimension);

    private static bool IsUsableInPlace(SafetensorsEntry entry, ReadOnlySpan<byte> bytes) =>
        entry.ElementType is "F32" && (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)) % sizeof(float) == 0;

    private nint Allocate(long bytes)
    {
        var address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        _owned.Add(address);
        return address;
    }

    private void CopyTo(SafetensorsEntry entry, Span<float> target)
    {
        var bytes = _file.Bytes(entry);
        target = target[..(int)Count(entry)];
        switch (entry.ElementType)
        {
            case "F32":
                bytes.CopyTo(MemoryMarshal.AsBytes(target));
                break;
            case "F16":
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), target);
                break;
            default:
                // A bfloat16 is the upper half of a float.
                var halves = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < halves.Length; i++) target[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
                break;
        }

        CheckFinite(entry, target);
    }

    private void CheckFinite(SafetensorsEntry entry, ReadOnlySpan<float> values)
    {
        // A sum that is finite has only finite parts; one that is not may merely have overflowed.
        if (float.IsFinite(TensorPrimitives.SumOfMagnitudes(values))) return;
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                throw new ModelDirectoryException(_file.PathOf(entry), entry.Name, $"element {i} is {(float.IsNaN(values[i]) ? "not a number" : "infinite")}");
        }
    }
}

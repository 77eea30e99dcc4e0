using System.Numerics.Tensors;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// Weights as 8-bit numbers: symmetric, one scale for each output channel (Krishnamoorthi, arXiv:1806.08342, section 2.1).
/// </summary>
internal static class WeightQuantizer
{
    // As many output channels at a time as fill a cache line of the transposed matrix.
    private const int Block = 64;

    /// <summary>
    /// Quantises a matrix [out, in] and writes it transposed: element q of column c stands for the weight q · scale[c].
    /// </summary>
    /// <param name="weights">The matrix, row-major; all elements finite.</param>
    /// <param name="width">The length of a row: the number of inputs.</param>
    /// <param name="levels">The largest magnitude of a result, 1 to 127.</param>
    /// <param name="target">A matrix of <paramref name="width"/> rows and <paramref name="columns"/> columns.</param>
    /// <param name="columns">Its number of columns.</param>
    /// <param name="firstColumn">The column in which the first output channel goes.</param>
    /// <param name="scales">One scale for each output channel.</param>
    public static void Quantize(
        ReadOnlySpan<float> weights, int width, int levels, Span<sbyte> target, int columns, int firstColumn, Span<float> scales)
    {
        var row = new float[width];
        var block = new sbyte[Block * width];
        for (var first = 0; first < scales.Length; first += Block)
        {
            var channels = Math.Min(Block, scales.Length - first);
            for (var channel = 0; channel < channels; channel++)
            {
                var values = weights.Slice((first + channel) * width, width);
                var largest = Math.Abs(TensorPrimitives.MaxMagnitude(values));
                // So that dividing by the scale gives no infinity; a channel of nothing but zeros has any scale.
                var scale = Math.Max(largest / levels, 1e-30f);
                scales[first + channel] = scale;
                TensorPrimitives.Divide(values, scale, row);
                TensorPrimitives.Round(row, row);
                TensorPrimitives.ConvertSaturating<float, sbyte>(row, block.AsSpan(channel * width, width));
            }

            for (var i = 0; i < width; i++)
            {
                var cells = target.Slice(i * columns + firstColumn + first, channels);
                for (var channel = 0; channel < cells.Length; channel++) cells[channel] = block[channel * width + i];
            }
        }
    }
}

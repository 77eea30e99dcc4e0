using CsCheck;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;

namespace Lab.Worker.Tests.Checkpoints;

public sealed class WeightQuantizerTests
{
    [Fact]
    public void Quantize_AnyMatrix_EachElementIsWithinHalfAStep() =>
        Gen.Select(Gen.Int[1, 150], Gen.Int[1, 20], Gen.Int[1, 127], Gen.Int[0, 5], Gen.Int).Sample((channels, width, levels, first, seed) =>
        {
            var random = new Random(seed);
            var weights = Enumerable.Range(0, channels * width).Select(_ => (random.NextSingle() - 0.5f) * MathF.Pow(10, random.Next(-6, 6))).ToArray();
            var columns = first + channels + 3;
            var target = new sbyte[width * columns];
            var scales = new float[channels];

            WeightQuantizer.Quantize(weights, width, levels, target, columns, first, scales);

            for (var channel = 0; channel < channels; channel++)
            {
                for (var i = 0; i < width; i++)
                {
                    int quantized = target[i * columns + first + channel];
                    Assert.InRange(quantized, -levels, levels);
                    var error = Math.Abs(weights[channel * width + i] - (double)quantized * scales[channel]);
                    Assert.True(error <= scales[channel] * 0.5001, $"off by {error / scales[channel]} steps");
                }
            }

            // Columns beside its own are left alone.
            Assert.All(Enumerable.Range(0, width), row => Assert.Equal(0, target[row * columns + columns - 1]));
        }, iter: 200);

    [Fact]
    public void Quantize_ChannelOfZeros_StaysZero()
    {
        var target = new sbyte[8];
        var scales = new float[2];

        WeightQuantizer.Quantize([0, 0, 0, 0, 1, -1, 0.5f, 0], 4, 127, target, 2, 0, scales);

        Assert.Equal([0, 127, 0, -127, 0, 64, 0, 0], target);
        Assert.True(float.IsFinite(scales[0]) && scales[0] > 0);
    }

    [Fact]
    public void Levels_WherePairsAreAddedIn16Bits_NeverOverflow()
    {
        var levels = new Processor("", Saturates: true).Levels;

        Assert.InRange(2 * byte.MaxValue * levels, 1, short.MaxValue);
        Assert.True(levels >= 63);
        Assert.Equal(sbyte.MaxValue, new Processor("", Saturates: false).Levels);
    }
}

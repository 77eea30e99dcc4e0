using Lab.Worker.Checkpoints;

namespace Lab.Worker.ModelCommands;

/// <summary>Texts of random tokens, to measure with.</summary>
internal static class RandomTexts
{
    /// <summary>The same texts each time.</summary>
    /// <param name="config">The model that is to read them.</param>
    /// <param name="batch">How many.</param>
    /// <param name="length">How many tokens each has, at most <see cref="EncoderConfig.MaxPositions"/>.</param>
    public static int[][] Of(EncoderConfig config, int batch, int length)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, batch).Select(_ => Enumerable.Range(0, length).Select(_ => random.Next(config.VocabSize)).ToArray())];
    }
}

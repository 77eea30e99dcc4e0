using Lab.Worker.Checkpoints;

namespace Lab.Worker.ModelCommands;

/// <summary>Operations of matrix products, each multiplication and each addition counted, in one text's computation.</summary>
internal static class Work
{
    /// <summary>All positions of all layers: what the model's definition asks for.</summary>
    public static double OfWholeModel(EncoderConfig config, int tokens) =>
        config.Layers * (Projections(config, 4 * tokens) + Attention(config, tokens, tokens) + FeedForward(config, tokens));

    /// <summary>What is really computed: in the last layer all keys and values, but the rest at [CLS] only.</summary>
    public static double Done(EncoderConfig config, int tokens) =>
        OfWholeModel(config with { Layers = config.Layers - 1 }, tokens)
        + Projections(config, 2 * tokens + 2) + Attention(config, tokens, 1) + FeedForward(config, 1);

    private static double Projections(EncoderConfig config, int rows) => 2.0 * rows * config.Dim * config.Dim;

    private static double Attention(EncoderConfig config, int tokens, int queries) => 4.0 * queries * tokens * config.Dim;

    private static double FeedForward(EncoderConfig config, int rows) => 4.0 * rows * config.Dim * config.HiddenDim;
}

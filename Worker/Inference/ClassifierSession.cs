using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Graphs;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Lab.Worker.Inference;

/// <summary>How a model is to be computed.</summary>
/// <param name="Precision">The numbers that are computed with.</param>
/// <param name="Threads">Threads that work on one computation.</param>
/// <param name="Deterministic">Whether each text is computed alone, so that its answer cannot depend on its batch on any processor.</param>
internal sealed record SessionSettings(Precision Precision = Precision.Fp32, int Threads = 1, bool Deterministic = false);

/// <summary>One ONNX Runtime session over a model's weights. Not for concurrent use.</summary>
internal sealed class ClassifierSession : ILogitsModel
{
    /// <summary>
    /// How many tokens are packed, if a single text has no more: measured, packs of 256 to 1,024 tokens are equally fast,
    /// those of 128 take 4 % longer, and small ones need less memory.
    /// </summary>
    public const int MaxPackedTokens = 256;

    private static readonly string[] InputNames =
    [
        ClassifierGraph.TokenIds, ClassifierGraph.PositionIds, ClassifierGraph.AttentionBias,
        ClassifierGraph.ClsBias, ClassifierGraph.ClsRows, ClassifierGraph.SlotTokens, ClassifierGraph.TokenSlots,
        ClassifierGraph.QueryTexts, ClassifierGraph.TextQueries,
    ];

    private static readonly string[] OutputNames = [ClassifierGraph.Logits];

    private readonly IReadOnlyList<IDisposable> _owned;
    private readonly RunOptions _run = new();
    private readonly RunOptions _largeRun = new();
    private readonly PackedBatch _batch = new();
    private readonly InferenceSession _session;
    private readonly int _labels;
    private readonly bool _alone;

    private ClassifierSession(InferenceSession session, EncoderConfig config, bool deterministic, IReadOnlyList<IDisposable> owned)
    {
        _session = session;
        _labels = config.Labels.Count;
        _alone = deterministic || !AddsUpAlike(config);
        _owned = owned;
        // A long text takes tens of megabytes, and is rare: eight workers need not keep that for the next one.
        _largeRun.AddRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");
    }

    /// <summary>Builds the graph and opens a session over it, all in this process's memory.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The model's weights, owned by the session from now on, even if it cannot be opened.</param>
    /// <param name="settings">How it is to be computed.</param>
    /// <param name="levels">The largest magnitude of 8-bit weights; null keeps them as floats.</param>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public static ClassifierSession Open(EncoderConfig config, EncoderWeights weights, SessionSettings settings, int? levels = null)
    {
        List<IDisposable> owned = [weights];
        try
        {
            OnnxRuntimeProcess.DisableTelemetry();
            var graph = ClassifierGraph.Build(config, weights, levels);
            using var options = OnnxRuntimeProcess.Options(settings.Threads, GraphOptimizationLevel.ORT_ENABLE_ALL);
            options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", Path.GetDirectoryName(OnnxGraph.ExistingFile)!);
            foreach (var weight in graph.Weights)
            {
                var value = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance,
                    ElementType(weight.Type), [.. weight.Shape], weight.Address, weight.Bytes);
                owned.Add(value);
                options.AddInitializer(weight.Name, value);
            }

            var session = new InferenceSession(graph.ToBytes(), options);
            owned.Add(session);
            weights.CheckUnchanged();
            owned.Remove(session);
            return new(session, config, settings.Deterministic, owned);
        }
        catch
        {
            foreach (var one in Enumerable.Reverse(owned)) one.Dispose();
            throw;
        }
    }

    /// <summary>Opens a session over what <see cref="ModelCompiler"/> has written, and maps its weights.</summary>
    /// <param name="path">The compiled model.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="settings">How it is to be computed.</param>
    public static ClassifierSession OpenCompiled(string path, EncoderConfig config, SessionSettings settings)
    {
        OnnxRuntimeProcess.DisableTelemetry();
        using var options = OnnxRuntimeProcess.Options(settings.Threads, GraphOptimizationLevel.ORT_DISABLE_ALL);
        return new(new InferenceSession(path, options), config, settings.Deterministic, []);
    }

    /// <inheritdoc/>
    public float[][] ComputeLogits(IReadOnlyList<int[]> texts)
    {
        var logits = new float[texts.Count][];
        var all = texts as int[][] ?? [.. texts];
        for (int first = 0, next; first < all.Length; first = next)
        {
            next = _alone ? first + 1 : PackEnd(all, first);
            _batch.Fill(all.AsSpan(first, next - first));
            RunBatch(logits.AsSpan(first, next - first));
        }

        return logits;
    }

    /// <summary>Closes the session and frees the weights.</summary>
    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
        _largeRun.Dispose();
        foreach (var one in Enumerable.Reverse(_owned)) one.Dispose();
    }

    // Whether a text's sums are made in one order wherever it stands. Those over a token's numbers begin at whole vectors of
    // four. In attention the runtime cuts products into blocks that depend on the length of the sequence (strides of MLAS's
    // sgemm.cpp) where a head has more than 64 numbers, and computes those of a single number in another way.
    private static bool AddsUpAlike(EncoderConfig config) => config.Dim % 4 == 0 && config.Dim / config.Heads is > 1 and <= 64;

    // What is left is shared out among as few packs as hold it, so that the last is not much smaller than the others.
    private static int PackEnd(int[][] texts, int first)
    {
        var left = 0;
        for (var i = first; i < texts.Length; i++) left += texts[i].Length;
        var packs = (left + MaxPackedTokens - 1) / MaxPackedTokens;
        var share = (left + packs - 1) / packs;
        var tokens = texts[first].Length;
        var next = first + 1;
        for (; next < texts.Length; next++)
        {
            var length = texts[next].Length;
            if (tokens + length / 2 > share || tokens + length > MaxPackedTokens) break;
            tokens += length;
        }

        return next;
    }

    private void RunBatch(Span<float[]> logits)
    {
        long tokens = _batch.TokenCount, sequences = _batch.SequenceCount, length = _batch.SequenceLength;
        using var tokenIds = Tensor(_batch.TokenIds, tokens);
        using var positionIds = Tensor(_batch.PositionIds, tokens);
        using var attentionBias = Tensor(_batch.AttentionBias, _batch.BiasCount, 1, length, length);
        using var clsBias = Tensor(_batch.ClsBias, _batch.BiasCount, 1, _batch.QueryCount, length);
        using var clsRows = Tensor(_batch.ClsRows, _batch.TextCount);
        using var slotTokens = Tensor(_batch.SlotTokens, sequences, length);
        using var tokenSlots = Tensor(_batch.TokenSlots, tokens);
        using var queryTexts = Tensor(_batch.QueryTexts, sequences, _batch.QueryCount);
        using var textQueries = Tensor(_batch.TextQueries, _batch.TextCount);
        using var outputs = _session.Run(
            tokens > MaxPackedTokens ? _largeRun : _run, InputNames,
            [tokenIds, positionIds, attentionBias, clsBias, clsRows, slotTokens, tokenSlots, queryTexts, textQueries], OutputNames);
        var values = outputs[0].GetTensorDataAsSpan<float>();
        for (var i = 0; i < logits.Length; i++) logits[i] = values.Slice(i * _labels, _labels).ToArray();
    }

    private static TensorElementType ElementType(WeightType type) => type switch
    {
        WeightType.Int8 => TensorElementType.Int8,
        WeightType.Half => TensorElementType.Float16,
        _ => TensorElementType.Float,
    };

    private static OrtValue Tensor<T>(Memory<T> data, params long[] shape) where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, data, shape);
}

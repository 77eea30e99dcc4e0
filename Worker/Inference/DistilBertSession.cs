using Lab.Worker.ModelBuilding;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace Lab.Worker.Inference;

/// <summary>One ONNX Runtime session over a model directory's weights. Not for concurrent use.</summary>
internal sealed class DistilBertSession : ILogitsModel
{
    // Attention's cost grows with the square of a pack's tokens; beyond a few hundred nothing is won by packing more.
    private const int MaxPackedTokens = 512;

    private static readonly string[] InputNames =
        [DistilBertGraph.TokenIds, DistilBertGraph.PositionIds, DistilBertGraph.AttentionBias, DistilBertGraph.ClsRows];

    private static readonly string[] OutputNames = [DistilBertGraph.Logits];

    private readonly DistilBertWeights _weights;
    private readonly List<OrtValue> _initializers = [];
    private readonly RunOptions _run = new();
    private readonly PackedBatch _batch = new();
    private readonly InferenceSession _session;
    private readonly int _labels;

    private DistilBertSession(DistilBertConfig config, DistilBertWeights weights, int threads)
    {
        _labels = config.Labels.Count;
        _weights = weights;
        var graph = DistilBertGraph.Build(config, weights);
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", weights.Directory);
        foreach (var weight in graph.Weights)
        {
            var value = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, TensorElementType.Float,
                [.. weight.Shape], weight.Address, weight.Count * sizeof(float));
            _initializers.Add(value);
            options.AddInitializer(weight.Name, value);
        }

        _session = new InferenceSession(graph.ToBytes(), options);
    }

    /// <summary>Builds the graph and opens the session.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The model's weights, owned by the session from now on, even if it cannot be opened.</param>
    /// <param name="threads">Threads that work on one computation, the caller's included.</param>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public static DistilBertSession Open(DistilBertConfig config, DistilBertWeights weights, int threads)
    {
        try
        {
            OnnxRuntimeProcess.DisableTelemetry();
            return new(config, weights, threads);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public float[][] ComputeLogits(IReadOnlyList<int[]> texts)
    {
        var logits = new float[texts.Count][];
        var all = texts as int[][] ?? [.. texts];
        for (int first = 0, next; first < all.Length; first = next)
        {
            var tokens = all[first].Length;
            for (next = first + 1; next < all.Length && tokens + all[next].Length <= MaxPackedTokens; next++)
                tokens += all[next].Length;
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
        foreach (var value in _initializers) value.Dispose();
        _weights.Dispose();
    }

    private void RunBatch(Span<float[]> logits)
    {
        long tokens = _batch.TokenCount;
        using var tokenIds = Tensor(_batch.TokenIds, tokens);
        using var positionIds = Tensor(_batch.PositionIds, tokens);
        using var attentionBias = Tensor(_batch.AttentionBias, 1, 1, tokens, tokens);
        using var clsRows = Tensor(_batch.ClsRows, _batch.TextCount);
        using var outputs = _session.Run(_run, InputNames, [tokenIds, positionIds, attentionBias, clsRows], OutputNames);
        var values = outputs[0].GetTensorDataAsSpan<float>();
        for (var i = 0; i < logits.Length; i++) logits[i] = values.Slice(i * _labels, _labels).ToArray();
    }

    private static OrtValue Tensor<T>(Memory<T> data, params long[] shape) where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, data, shape);
}

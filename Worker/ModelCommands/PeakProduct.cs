using System.Diagnostics;
using Lab.Worker.Compilation;
using Lab.Worker.Graphs;
using Microsoft.ML.OnnxRuntime;
using DataType = Lab.Worker.Graphs.Onnx.TensorProto.Types.DataType;
using SessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace Lab.Worker.ModelCommands;

/// <summary>
/// How fast this machine multiplies matrices at best: the runtime's own product of two matrices that are large enough to
/// keep every unit busy and small enough for the caches, and nothing else.
/// </summary>
internal sealed class PeakProduct : IDisposable
{
    // No powers of two: rows that lie a page apart displace one another in the cache, and a product of floats takes twice as long.
    private const int Rows = 384, Inner = 768, Columns = 768;

    private readonly RunOptions _run = new();
    private readonly OrtValue _left;
    private readonly InferenceSession _session;

    /// <summary>A product.</summary>
    /// <param name="precision">Of unsigned with signed bytes, or of floats.</param>
    /// <param name="threads">Threads that work on it.</param>
    public PeakProduct(Precision precision, int threads)
    {
        OnnxRuntimeProcess.DisableTelemetry();
        var isInt8 = precision is Precision.Int8;
        var graph = new OnnxGraph();
        graph.Input("left", isInt8 ? DataType.Uint8 : DataType.Float, $"{Rows}", $"{Inner}");
        graph.Output("product", isInt8 ? DataType.Int32 : DataType.Float, $"{Rows}", $"{Columns}");
        var right = graph.Zeros("right", isInt8 ? DataType.Int8 : DataType.Float, isInt8 ? sizeof(sbyte) : sizeof(float), Inner, Columns);
        graph.Node("product", isInt8 ? "MatMulInteger" : "MatMul", "left", right);
        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        _session = new(graph.ToBytes(), options);
        _left = isInt8
            ? OrtValue.CreateTensorValueFromMemory(new byte[Rows * Inner], [Rows, Inner])
            : OrtValue.CreateTensorValueFromMemory(new float[Rows * Inner], [Rows, Inner]);
    }

    /// <summary>Multiplies for a while.</summary>
    /// <returns>Operations per second.</returns>
    public double Measure(TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        var products = 0;
        TimeSpan elapsed;
        do
        {
            using var outputs = _session.Run(_run, ["left"], [_left], ["product"]);
            products++;
            elapsed = Stopwatch.GetElapsedTime(started);
        }
        while (elapsed < duration);
        return 2.0 * Rows * Inner * Columns * products / elapsed.TotalSeconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _left.Dispose();
        _run.Dispose();
    }
}

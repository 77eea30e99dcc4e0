namespace Lab.Bench.Recording;

/// <summary>The same load on more and more workers.</summary>
/// <param name="Points">From few workers to many.</param>
/// <param name="Load">What was sent each time.</param>
/// <param name="Turns">How often each number of workers had its turn; medians are told.</param>
internal sealed record ScaleResult(IReadOnlyList<ScalePoint> Points, string Load, int Turns);

/// <summary>One number of workers.</summary>
/// <param name="Workers">How many worked; the others were drained.</param>
/// <param name="Throughput">Answers per second, the median of the turns.</param>
/// <param name="Least">The slowest turn.</param>
/// <param name="Most">The fastest turn.</param>
/// <param name="P50">Median latency in milliseconds, the median of the turns.</param>
/// <param name="P99">99th percentile of latency in milliseconds, the median of the turns.</param>
/// <param name="SpeedUp">Throughput ÷ the throughput of the fewest workers.</param>
/// <param name="Efficiency">Speed-up ÷ by how many times more workers there were: 1 is ideal.</param>
/// <param name="GeneratorShare">The generator's share of its machine's processors, 0 to 1.</param>
/// <param name="MachineShare">All processes' share of them, where it is known.</param>
internal sealed record ScalePoint(
    int Workers, double Throughput, double Least, double Most, double P50, double P99, double SpeedUp, double Efficiency, double GeneratorShare, double? MachineShare);

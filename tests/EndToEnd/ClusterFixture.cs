using Lab.EndToEnd.Cluster;
using Lab.EndToEnd.Otlp;

namespace Lab.EndToEnd;

/// <summary>One cluster of eight workers with telemetry, for all tests that leave it as they found it.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    internal const int WorkerCount = 8;
    private OtlpReceiver? _receiver;
    private HostedCluster? _cluster;

    internal HostedCluster Cluster => _cluster!;

    internal OtlpReceiver Receiver => _receiver!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _receiver = await OtlpReceiver.StartAsync();
        _cluster = await HostedCluster.StartAsync(
            WorkerCount, $"--OTEL_EXPORTER_OTLP_ENDPOINT={_receiver.Address}", "--OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
        if (_receiver is not null) await _receiver.DisposeAsync();
    }
}

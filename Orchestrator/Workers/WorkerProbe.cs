using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Predict;
using Lab.ServiceDefaults.Health;

namespace Lab.Orchestrator.Workers;

/// <summary>Asks workers whether they are well, and which model they serve.</summary>
/// <param name="limit">How long a worker may take to say so.</param>
/// <param name="time">The clock.</param>
internal sealed class WorkerProbe(TimeSpan limit, TimeProvider time) : IDisposable
{
    // As many labels as a worker serves, each as long as it may be and with every character escaped, take 6.3 MB.
    private const int MaxAnswerBytes = 8 * 1024 * 1024;

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = TimeSpan.FromSeconds(2),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
    })
    {
        MaxResponseContentBufferSize = MaxAnswerBytes,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Asks once. It never throws: whatever goes wrong is the result.</summary>
    public async Task<ProbeResult> AskAsync(Uri address, bool readModel, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(limit, time);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        // A probe belongs to no request; without this it would show up as a trace of its own every few seconds.
        Activity.Current = null;
        try
        {
            using var response = await _client.GetAsync(new Uri(address, HealthEndpoints.ReadyPath), timeout.Token);
            if (!response.IsSuccessStatusCode) return new($"its health check answers {(int)response.StatusCode}");
            return readModel ? await ReadModelAsync(address, timeout.Token) : default;
        }
        catch (HttpRequestException e)
        {
            return new(e.Message);
        }
        catch (OperationCanceledException)
        {
            return new($"its health check does not answer within {limit.TotalSeconds:0.###} s");
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<ProbeResult> ReadModelAsync(Uri address, CancellationToken cancellationToken)
    {
        using var response = await _client.GetAsync(new Uri(address, PredictEndpoint.InfoPath), cancellationToken);
        // Somebody else's worker that only knows /run_model has nothing to tell.
        if (response.StatusCode is HttpStatusCode.NotFound) return default;
        if (!response.IsSuccessStatusCode) return new($"its /info answers {(int)response.StatusCode}");
        try
        {
            var model = JsonSerializer.Deserialize(ByteOrderMark.Skip((ReadOnlySpan<byte>)await response.Content.ReadAsByteArrayAsync(cancellationToken)), WireJson.Relaxed.ModelInfo);
            return ModelCheck.Fault(model) is { } fault ? new(fault) : new(null, WithIds(model!));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is the reader's word for what is not Unicode.
            return new($"its /info cannot be read: {e.Message}");
        }
    }

    // Ids by label follow from labels by id, whatever it says of them.
    private static ModelInfo WithIds(ModelInfo model)
    {
        var labels = model.ModelType.Classifier.Id2Label;
        return model with { ModelType = new(new(labels, labels.ToDictionary(label => label.Value, label => int.Parse(label.Key, CultureInfo.InvariantCulture)))) };
    }
}

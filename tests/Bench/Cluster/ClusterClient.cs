using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text.Json;
using Lab.Bench.Load;
using Lab.Bench.Running;
using Lab.Bench.Soak;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Bench.Cluster;

/// <summary>Everything that is asked of an orchestrator besides answers: its workers, its model, its own count.</summary>
internal sealed class ClusterClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // For so long Prometheus' exporter repeats what it said last.
    private static readonly TimeSpan ExporterMemory = TimeSpan.FromMilliseconds(400);

    private static readonly TimeSpan CountPatience = TimeSpan.FromSeconds(3);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;

    /// <param name="target">The orchestrator.</param>
    /// <param name="time">The clock.</param>
    public ClusterClient(Target target, TimeProvider time)
    {
        Address = target.Orchestrator;
        _time = time;
        _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, SslOptions = PinnedCertificate.Options(target.Fingerprint) }) { BaseAddress = Address, Timeout = Patience };
        if (target.Key is { } key) _http.DefaultRequestHeaders.Authorization = new("Bearer", key);
    }

    public Uri Address { get; }

    /// <summary>The worker table.</summary>
    /// <exception cref="BenchException">No orchestrator answers, or the key is not taken.</exception>
    public async Task<IReadOnlyDictionary<string, WorkerStatus>> GetWorkersAsync(CancellationToken cancellation)
    {
        using var response = await SendAsync(HttpMethod.Get, "/workers", cancellation);
        try
        {
            return JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(cancellation), WireJson.Relaxed.DictionaryStringWorkerStatus)
                ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new BenchException(ExitCode.CannotReach, $"Something answers at {Address}, but it is no orchestrator of Lab: its /workers is not a worker table.", e);
        }
    }

    /// <summary>Drains a worker, or lets it work again. Needs an admin key where keys are set.</summary>
    /// <exception cref="BenchException">It could not be done.</exception>
    public async Task SetDrainingAsync(string worker, bool draining, CancellationToken cancellation)
    {
        using var response = await SendAsync(HttpMethod.Post, $"/workers/{Uri.EscapeDataString(worker)}/{(draining ? "drain" : "resume")}", cancellation);
    }

    /// <summary>The model that is served; <c>null</c> where the orchestrator does not say.</summary>
    public async Task<ModelInfo?> GetModelAsync(CancellationToken cancellation)
    {
        try
        {
            using var response = await SendAsync(HttpMethod.Get, "/info", cancellation);
            return JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(cancellation), WireJson.Relaxed.ModelInfo);
        }
        catch (Exception e) when (e is BenchException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Asks one text and gives the answer as it came.</summary>
    /// <returns><c>null</c> where there is no answer: the run will say why.</returns>
    public async Task<string?> AskAsync(Text text, CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(text.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            using var response = await _http.PostAsync(new Uri("/new_request", UriKind.Relative), content, cancellation);
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(cancellation) : null;
        }
        catch (Exception e) when (e is HttpRequestException || IsTimeout(e, cancellation))
        {
            return null;
        }
    }

    /// <summary>The orchestrator's own count as it is now, not as its exporter remembers it.</summary>
    /// <returns><c>null</c> where it tells none.</returns>
    public async Task<OwnCount?> CountAsync(CancellationToken cancellation)
    {
        await Task.Delay(ExporterMemory, _time, cancellation);
        return await ReadCountAsync(cancellation);
    }

    /// <summary>The orchestrator's own count once it has come to so many answers, or what it is after three seconds.</summary>
    public async Task<OwnCount?> CountAsync(double answered, CancellationToken cancellation)
    {
        var begun = _time.GetTimestamp();
        while (true)
        {
            var count = await CountAsync(cancellation);
            if (count is null || count.Answered >= answered || _time.GetElapsedTime(begun) > CountPatience) return count;
        }
    }

    /// <summary>The orchestrator's working set in bytes.</summary>
    /// <returns><c>null</c> where it does not tell.</returns>
    public async Task<double?> GetMemoryAsync(CancellationToken cancellation) => (await ReadMetricsAsync(cancellation))?.Find(MemoryWatch.Metric);

    public void Dispose() => _http.Dispose();

    private async Task<OwnCount?> ReadCountAsync(CancellationToken cancellation) =>
        await ReadMetricsAsync(cancellation) is { } metrics ? OwnCount.Read(metrics) : null;

    private async Task<MetricsText?> ReadMetricsAsync(CancellationToken cancellation)
    {
        try
        {
            using var response = await SendAsync(HttpMethod.Get, "/metrics", cancellation);
            return new(await response.Content.ReadAsStringAsync(cancellation));
        }
        catch (BenchException)
        {
            return null;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, CancellationToken cancellation)
    {
        HttpResponseMessage response;
        try
        {
            using var request = new HttpRequestMessage(method, path);
            response = await _http.SendAsync(request, cancellation);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.SecureConnectionError && e.InnerException is AuthenticationException)
        {
            throw new BenchException(ExitCode.CannotReach, $"{Address} shows a certificate that is not believed: {e.GetBaseException().Message} If it is self-signed, name the fingerprint that the orchestrator logs when it starts: --fingerprint 7A:EA:….", e);
        }
        catch (HttpRequestException e)
        {
            throw new BenchException(ExitCode.CannotReach, $"No orchestrator answers at {Address}: {e.GetBaseException().Message}. 'dotnet run --project AppHost' starts one on this machine.", e);
        }
        catch (Exception e) when (IsTimeout(e, cancellation))
        {
            throw new BenchException(ExitCode.CannotReach, $"{Address} does not answer within {Durations.Text(Patience)}.", e);
        }

        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            throw response.StatusCode switch
            {
                HttpStatusCode.Unauthorized => new BenchException(ExitCode.Usage, $"{Address} wants an API key: set LAB_API_KEY, or name a file with --key-file."),
                HttpStatusCode.Forbidden => new BenchException(ExitCode.Usage, $"The API key may not {method} {path}: this needs a key with the admin scope."),
                var status => new BenchException(ExitCode.CannotReach, $"{new Uri(Address, path)} answered {(int)status} {status}: is that an orchestrator of Lab?"),
            };
        }
    }

    private static bool IsTimeout(Exception e, CancellationToken cancellation) => e is OperationCanceledException && !cancellation.IsCancellationRequested;
}

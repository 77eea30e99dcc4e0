using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>The orchestrator's own interface, through SSH: keys do not travel in the clear, and no security group stands in the way.</summary>
internal sealed class OrchestratorApi : IDisposable
{
    private const int Port = 80;
    private readonly Tunnel _tunnel;
    private readonly HttpClient _http;

    /// <summary>Opens the way to it.</summary>
    /// <param name="connection">The orchestrator's host.</param>
    /// <param name="key">The key to call it with.</param>
    public OrchestratorApi(HostConnection connection, string key)
    {
        _tunnel = connection.Open(Port);
        _http = new HttpClient { BaseAddress = _tunnel.Address, Timeout = TimeSpan.FromSeconds(10) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Each worker's status: <c>free</c>, <c>busy</c>, <c>quarantined</c> or <c>draining</c>.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<IReadOnlyDictionary<string, string>> WorkersAsync(CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(await _http.GetStringAsync(new Uri("/workers", UriKind.Relative), cancellationToken));
        return document.RootElement.EnumerateObject().ToDictionary(worker => worker.Name, worker => worker.Value.GetProperty("status").GetString()!, StringComparer.Ordinal);
    }

    /// <summary>Has a text classified.</summary>
    /// <returns>The worker that answered.</returns>
    /// <exception cref="HttpRequestException">It was not answered.</exception>
    public async Task<string> ClassifyAsync(string text, CancellationToken cancellationToken)
    {
        using var body = new StringContent(text, Encoding.UTF8, "text/plain");
        using var answer = await _http.PostAsync(new Uri("/new_request", UriKind.Relative), body, cancellationToken);
        answer.EnsureSuccessStatusCode();
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(cancellationToken));
        return document.RootElement.GetProperty("worker").GetString()!;
    }

    /// <summary>Has a worker finish what it does and take no more. One that is not known is drained already.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public Task DrainAsync(string worker, CancellationToken cancellationToken) => PostAsync($"/workers/{worker}/drain", cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _tunnel.Dispose();
    }

    private async Task PostAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), content: null, cancellationToken);
        if (answer.StatusCode is not HttpStatusCode.NotFound) answer.EnsureSuccessStatusCode();
    }
}

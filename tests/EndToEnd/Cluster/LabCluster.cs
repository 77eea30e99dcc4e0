using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;

namespace Lab.EndToEnd.Cluster;

/// <summary>A cluster as its users see it, whoever has started it.</summary>
internal abstract class LabCluster : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Asks the orchestrator.</summary>
    public abstract HttpClient Client { get; }

    /// <summary>What AppHost has written so far.</summary>
    public abstract string Output { get; }

    /// <summary>Fails where nothing is to be waited for any more.</summary>
    protected virtual void CheckAlive()
    {
    }

    /// <summary>Waits until all workers are free.</summary>
    public Task UntilFreeAsync(int workers) => UntilAsync(
        async () => (await GetWorkersAsync()).Values.Count(worker => worker.Status == "free") == workers,
        $"{workers} free workers");

    /// <summary>Waits for something that comes by itself, within a minute and a half.</summary>
    public Task UntilAsync(Func<Task<bool>> condition, string what) => Eventually.TrueAsync(() =>
    {
        CheckAlive();
        return condition();
    }, what, () => Output, Limit);

    public async Task<Dictionary<string, WorkerStatus>> GetWorkersAsync() =>
        (await Client.GetFromJsonAsync<Dictionary<string, WorkerStatus>>("/workers", WireJson.Relaxed.Options, TestContext.Current.CancellationToken))!;

    public async Task<RequestAnswer> AskAsync(string text)
    {
        using var response = await Client.PostAsJsonAsync("/new_request", new { text }, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {body}\n{Output}");
        return JsonSerializer.Deserialize(body, WireJson.Relaxed.RequestAnswer)!;
    }

    public abstract ValueTask DisposeAsync();
}

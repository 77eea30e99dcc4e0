using System.Collections.Concurrent;
using System.Net.Http.Headers;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Clients that ask the orchestrator again and again until disposed; none of them tries anything twice.</summary>
internal sealed class Load : IAsyncDisposable
{
    // A person's haste: the machine's few cores are for the hosts.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _enough = new();
    private readonly HttpClient _http;
    private readonly Task _clients;
    private int _answered;

    public Load(HttpMessageHandler way, Uri address, string key, int clients)
    {
        _http = new HttpClient(way) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(40) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        _clients = Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(AskAsync)));
    }

    /// <summary>How many requests were answered with 200.</summary>
    public int Answered => Volatile.Read(ref _answered);

    /// <summary>What became of the others.</summary>
    public ConcurrentQueue<string> Failures { get; } = new();

    /// <summary>Waits until so many more have been answered.</summary>
    public async Task UntilMoreAsync(int count, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        for (var wanted = Answered + count; Answered < wanted;) await Task.Delay(20, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _clients;
        _http.Dispose();
        _enough.Dispose();
    }

    private async Task AskAsync()
    {
        while (!_enough.IsCancellationRequested)
        {
            try
            {
                using var body = new StringContent("a film that nobody will forget");
                using var answer = await _http.PostAsync(new Uri("/new_request", UriKind.Relative), body);
                if (answer.IsSuccessStatusCode) Interlocked.Increment(ref _answered);
                else Failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                Failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {e.Message} {e.InnerException?.Message}");
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }
}

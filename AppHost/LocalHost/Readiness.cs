using Aspire.Hosting.ApplicationModel;

namespace Lab.AppHost.LocalHost;

/// <summary>Asks a resource for its health.</summary>
internal static class Readiness
{
    // A proxy of the environment has no business between two processes of one machine.
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>One look.</summary>
    /// <returns>Null if the resource is ready, else what it lacks.</returns>
    public static async Task<string?> LackAsync(ProjectResource resource, TimeSpan timeout, CancellationToken cancel)
    {
        if (resource.HealthPath is null)
            return null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        try
        {
            using var answer = await Client.GetAsync(
                new Uri(resource.Endpoint!.Url + resource.HealthPath), HttpCompletionOption.ResponseHeadersRead, limit.Token);
            return (int)answer.StatusCode == 200 ? null : $"GET {resource.HealthPath} answers {(int)answer.StatusCode}";
        }
        catch (HttpRequestException)
        {
            return $"nobody answers on port {resource.Endpoint!.Port}";
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"GET {resource.HealthPath} has no answer in {timeout.TotalSeconds:0.#} s";
        }
    }
}

using Aspire.Hosting.ApplicationModel;

namespace Lab.AppHost.LocalHost;

/// <summary>Commands that are one HTTP request to a service.</summary>
internal static class HttpCommand
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>POSTs nothing; any status of success is one.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="prepare">Is given the request before it is sent, or null.</param>
    /// <param name="cancellation">Gives it up.</param>
    public static async Task<ExecuteCommandResult> PostAsync(Uri address, Func<HttpCommandRequestContext, Task>? prepare, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address);
        if (prepare is not null) await prepare(new() { Request = request, CancellationToken = cancellation });
        using var answer = await Client.SendAsync(request, cancellation);
        return answer.IsSuccessStatusCode
            ? new ExecuteCommandResult { Success = true }
            : CommandResults.Failure($"POST {address.AbsolutePath} was answered {(int)answer.StatusCode} {answer.ReasonPhrase}");
    }
}

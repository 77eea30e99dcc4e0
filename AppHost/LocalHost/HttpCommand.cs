using Aspire.Hosting.ApplicationModel;

namespace Lab.AppHost.LocalHost;

/// <summary>Commands that are one HTTP request to a service.</summary>
internal static class HttpCommand
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>POSTs nothing; any status of success is one.</summary>
    public static async Task<ExecuteCommandResult> PostAsync(Uri address, CancellationToken cancellation)
    {
        using var answer = await Client.PostAsync(address, content: null, cancellation);
        return answer.IsSuccessStatusCode
            ? new ExecuteCommandResult { Success = true }
            : CommandResults.Failure($"POST {address.AbsolutePath} was answered {(int)answer.StatusCode} {answer.ReasonPhrase}");
    }
}

using System.Net;
using System.Net.Sockets;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Says from which public address this machine reaches the internet.</summary>
internal interface ICallerAddress
{
    /// <summary>The IPv4 address.</summary>
    /// <exception cref="DeploymentException">Nobody could say.</exception>
    Task<string> AskAsync(CancellationToken cancellationToken);
}

/// <summary>Asks AWS's own service, which answers with the address and nothing else.</summary>
internal sealed class CallerAddress(HttpClient http, TimeProvider time) : ICallerAddress
{
    private static readonly Uri Service = new("https://checkip.amazonaws.com/");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async Task<string> AskAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var answer = (await http.GetStringAsync(Service, both.Token)).Trim();
            if (IPAddress.TryParse(answer, out var address) && address.AddressFamily == AddressFamily.InterNetwork) return address.ToString();
            throw Failed($"{Service.Host} answered with no IPv4 address");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Failed($"{Service.Host} did not answer");
        }
    }

    private static DeploymentException Failed(string why) => new(ExitCode.Failed,
        $"Finding this machine's public address failed: {why}. Nothing was changed. Give the address yourself: --ssh-from 203.0.113.7/32 --http-from 203.0.113.7/32.");
}

using Amazon;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Whose credentials these are.</summary>
/// <param name="Account">Twelve digits.</param>
/// <param name="Arn">The user or the role's session, such as <c>arn:aws:iam::123456789012:user/ana</c>.</param>
internal sealed record CallerIdentity(string Account, string Arn);

/// <summary>Says whose credentials these are.</summary>
internal interface ICallerIdentity
{
    /// <summary>The caller, or null where nobody could say: a stand-in without STS, a network without a way to it, no credentials.</summary>
    Task<CallerIdentity?> AskAsync(CancellationToken cancellationToken);
}

/// <summary>Asks STS, which needs no permission and costs nothing.</summary>
/// <param name="connect">Makes the client; may throw where there are no credentials.</param>
/// <param name="time">The clock.</param>
internal sealed class StsCaller(Func<IAmazonSecurityTokenService> connect, TimeProvider time) : ICallerIdentity
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>One with the SDK's ordinary chain of credentials.</summary>
    /// <param name="region">The region, such as <c>us-east-1</c>.</param>
    /// <param name="endpoint">Another address than AWS's, for stand-ins, or null.</param>
    public static ICallerIdentity Create(string region, Uri? endpoint) => new StsCaller(
        () =>
        {
            var config = new AmazonSecurityTokenServiceConfig { MaxErrorRetry = 0, Timeout = Patience };
            if (endpoint is null) config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
            else (config.ServiceURL, config.AuthenticationRegion) = (endpoint.AbsoluteUri, region);
            // Those of the EC2 client, which are there already.
            var credentials = CredentialChain.ResolveAsync(region, CancellationToken.None).GetAwaiter().GetResult() ?? throw new AmazonClientException("There are no credentials.");
            return new AmazonSecurityTokenServiceClient(credentials, config);
        },
        TimeProvider.System);

    /// <inheritdoc/>
    public async Task<CallerIdentity?> AskAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            // To make a client is to look for credentials, which may ask over the network and hear of no token.
            return await Task.Run(() => AskOnceAsync(both.Token), both.Token).WaitAsync(both.Token);
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    private async Task<CallerIdentity?> AskOnceAsync(CancellationToken cancellationToken)
    {
        using var sts = connect();
        var answer = await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), cancellationToken);
        return string.IsNullOrEmpty(answer.Account) ? null : new CallerIdentity(answer.Account, answer.Arn ?? "");
    }
}

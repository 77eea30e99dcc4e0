using Amazon;
using Amazon.EC2;
using Amazon.Runtime;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Makes clients of EC2 with the SDK's ordinary chain of credentials.</summary>
internal static class Ec2Clients
{
    private static readonly string[] EndpointVariables = ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"];

    /// <summary>A client.</summary>
    /// <param name="region">The region, such as <c>us-east-1</c>.</param>
    /// <param name="endpoint">Another address than AWS's, for stand-ins, or null.</param>
    /// <exception cref="AmazonClientException">The chain has no credentials.</exception>
    public static IAmazonEC2 Create(string region, Uri? endpoint)
    {
        // Repetitions are Ec2Calls' business: it knows which errors will pass.
        var config = new AmazonEC2Config { MaxErrorRetry = 0, Timeout = TimeSpan.FromSeconds(30) };
        if (endpoint is null) config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        else (config.ServiceURL, config.AuthenticationRegion) = (endpoint.AbsoluteUri, region);
        return new AmazonEC2Client(config);
    }

    /// <summary>A client, or null where the chain has no credentials.</summary>
    /// <remarks>The end of the chain asks for this machine's role at an address that only answers on EC2: elsewhere that request hangs, and is given up after three seconds. Where nothing is asked over the network only a slow machine takes so long.</remarks>
    public static async Task<IAmazonEC2?> TryCreateAsync(string region, Uri? endpoint, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(() => Create(region, endpoint), cancellationToken).WaitAsync(TimeSpan.FromSeconds(AsksForTheRole ? 3 : 30), cancellationToken);
        }
        catch (Exception e) when (e is AmazonClientException or TimeoutException)
        {
            return null;
        }
    }

    private static bool AsksForTheRole => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID"))
        && !string.Equals(Environment.GetEnvironmentVariable("AWS_EC2_METADATA_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>The address that the environment puts in AWS's place by the SDK's own variables, or null.</summary>
    public static Uri? ConfiguredEndpoint()
    {
        if (string.Equals(Environment.GetEnvironmentVariable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true", StringComparison.OrdinalIgnoreCase)) return null;
        var text = EndpointVariables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return Uri.TryCreate(text, UriKind.Absolute, out var endpoint) ? endpoint : null;
    }

    /// <summary>The region that the environment or the profile names, or null.</summary>
    public static string? ConfiguredRegion()
    {
        try
        {
            return FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false)?.SystemName;
        }
        catch (AmazonClientException)
        {
            return null;
        }
    }
}

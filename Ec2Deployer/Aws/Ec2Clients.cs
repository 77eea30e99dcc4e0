using Amazon;
using Amazon.EC2;
using Amazon.Runtime;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Makes clients of EC2 with the SDK's ordinary chain of credentials.</summary>
internal static class Ec2Clients
{
    private static readonly string[] EndpointVariables = ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"];

    /// <summary>A client.</summary>
    /// <param name="credentials">Who calls.</param>
    /// <param name="region">The region, such as <c>us-east-1</c>.</param>
    /// <param name="endpoint">Another address than AWS's, for stand-ins, or null.</param>
    public static IAmazonEC2 Create(AWSCredentials credentials, string region, Uri? endpoint)
    {
        // Repetitions are Ec2Calls' business: it knows which errors will pass.
        var config = new AmazonEC2Config { MaxErrorRetry = 0, Timeout = TimeSpan.FromSeconds(30) };
        if (endpoint is null) config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        else (config.ServiceURL, config.AuthenticationRegion) = (endpoint.AbsoluteUri, region);
        return new AmazonEC2Client(credentials, config);
    }

    /// <summary>A client, or null where nothing names credentials.</summary>
    /// <param name="region">The region.</param>
    /// <param name="endpoint">Another address than AWS's, or null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DeploymentException">Something names credentials that cannot be had: the message says what and why.</exception>
    public static async Task<IAmazonEC2?> TryCreateAsync(string region, Uri? endpoint, CancellationToken cancellationToken) =>
        await CredentialChain.ResolveAsync(region, cancellationToken) is { } credentials ? Create(credentials, region, endpoint) : null;

    /// <summary>The region that the environment or the profile names, in the AWS CLI's order, or null.</summary>
    /// <exception cref="DeploymentException">The profile's file cannot be read.</exception>
    public static string? ConfiguredRegion() =>
        Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION") ?? AwsProfiles.Region();

    /// <summary>The address that the environment puts in AWS's place by the SDK's own variables, or null.</summary>
    public static Uri? ConfiguredEndpoint()
    {
        if (string.Equals(Environment.GetEnvironmentVariable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true", StringComparison.OrdinalIgnoreCase)) return null;
        var text = EndpointVariables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return Uri.TryCreate(text, UriKind.Absolute, out var endpoint) ? endpoint : null;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name)?.Trim() is { Length: > 0 } value ? value : null;
}

using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>
/// Finds credentials in the SDK's order – environment, web identity, profile, container, this machine's role – and
/// obtains them at once, so that what is wrong with them is known before the first call, with its cause.
/// </summary>
internal static class CredentialChain
{
    /// <summary>The role of this machine is asked for at an address that answers on EC2 alone: elsewhere the request hangs.</summary>
    private static readonly TimeSpan RolePatience = TimeSpan.FromSeconds(3);

    /// <summary>For calls to AWS's sign-on services, and for a <c>credential_process</c>, which may ask somebody for a key.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly SemaphoreSlim Turn = new(1);
    private static AWSCredentials? _resolved;

    /// <summary>Credentials that can be used, or null where nothing names any. They are found once, and renew themselves.</summary>
    /// <param name="region">Where roles are assumed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DeploymentException">Something names credentials that cannot be had.</exception>
    public static async Task<AWSCredentials?> ResolveAsync(string region, CancellationToken cancellationToken)
    {
        await Turn.WaitAsync(cancellationToken);
        try
        {
            return _resolved ??= await FindAsync(region, cancellationToken);
        }
        finally
        {
            Turn.Release();
        }
    }

    private static async Task<AWSCredentials?> FindAsync(string region, CancellationToken cancellationToken)
    {
        // Else the SDK looks for a region of its own before it assumes a role, in the end at an address that only answers on EC2.
        AWSConfigs.AWSRegion = region;
        if (FromEnvironment() is { } variables) return variables;
        if (IsSet("AWS_WEB_IDENTITY_TOKEN_FILE") && IsSet("AWS_ROLE_ARN"))
            return await ObtainAsync(AssumeRoleWithWebIdentityCredentials.FromEnvironmentVariables, CredentialErrors.Explain, cancellationToken);

        var store = new CredentialProfileStoreChain();
        if (AwsProfiles.Selected(store) is { CanCreateAWSCredentials: true } profile)
        {
            var origin = AwsProfiles.Origin(profile, store);
            return await ObtainAsync(() => AWSCredentialsFactory.GetAWSCredentials(profile, store), e => CredentialErrors.Explain(e, profile, origin), cancellationToken);
        }

        if (IsSet("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || IsSet("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
            return await ObtainAsync(() => new GenericContainerCredentials(), CredentialErrors.Explain, cancellationToken);
        if (await OfThisMachineAsync(cancellationToken) is { } role) return role;
        if (!IsSet("AWS_PROFILE")) return null;
        throw new DeploymentException(ExitCode.AwsRefused,
            $"Reading AWS credentials failed: the profile '{AwsProfiles.SelectedName}' that AWS_PROFILE names has none, and neither has this machine. Nothing was changed. Give it some with 'aws configure --profile {AwsProfiles.SelectedName}'.");
    }

    private static EnvironmentVariablesAWSCredentials? FromEnvironment()
    {
        var (key, secret) = (IsSet("AWS_ACCESS_KEY_ID"), IsSet("AWS_SECRET_ACCESS_KEY"));
        if (key != secret)
        {
            var (set, missing) = key ? ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") : ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID");
            throw new DeploymentException(ExitCode.AwsRefused, $"Reading AWS credentials failed: {set} is set and {missing} is not. Nothing was changed. Set both, or neither where a profile is to be used.");
        }

        return key ? new EnvironmentVariablesAWSCredentials() : null;
    }

    private static async Task<AWSCredentials> ObtainAsync(Func<AWSCredentials> create, Func<Exception, DeploymentException> explain, CancellationToken cancellationToken)
    {
        try
        {
            // The SDK blocks in places, and not all of it can be cancelled.
            return await Task.Run(async () =>
            {
                var credentials = create();
                await credentials.GetCredentialsAsync();
                return credentials;
            }, cancellationToken).WaitAsync(Patience, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw explain(e);
        }
    }

    private static async Task<AWSCredentials?> OfThisMachineAsync(CancellationToken cancellationToken)
    {
        if (string.Equals(Environment.GetEnvironmentVariable("AWS_EC2_METADATA_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)) return null;
        try
        {
            // Everything before it in the SDK's chain is known to be absent.
            return await Task.Run(() => DefaultAWSCredentialsIdentityResolver.GetCredentials(), cancellationToken).WaitAsync(RolePatience, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // This machine has no role: that is how most machines are.
            return null;
        }
    }

    private static bool IsSet(string variable) => !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(variable));
}

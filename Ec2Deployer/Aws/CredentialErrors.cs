using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.SSO;
using Amazon.SSOOIDC;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Why credentials that something names cannot be had, in one paragraph for the user.</summary>
internal static class CredentialErrors
{
    private const string Again = "then run the same command again";

    /// <summary>The paragraph about credentials that the environment names.</summary>
    /// <param name="exception">What the SDK threw.</param>
    public static DeploymentException Explain(Exception exception) =>
        Failed("the environment", OfAny(exception, Environment.GetEnvironmentVariable("AWS_ROLE_ARN"), "Check the variables that begin with AWS_"), exception);

    /// <summary>The paragraph about credentials of a profile.</summary>
    /// <param name="exception">What the SDK threw.</param>
    /// <param name="profile">The profile.</param>
    /// <param name="origin">The one from which its role is assumed; itself where there is none.</param>
    public static DeploymentException Explain(Exception exception, CredentialProfile profile, CredentialProfile origin) =>
        Failed($"the profile '{profile.Name}'", OfSignOn(exception, origin) ?? OfAny(exception, profile.Options.RoleArn, "Check the profile with 'aws sts get-caller-identity'"), exception);

    /// <summary>A message of several lines as one, without a full stop.</summary>
    public static string OneLine(string text) =>
        string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).TrimEnd('.');

    private static DeploymentException Failed(string source, (string Cause, string Advice) why, Exception exception) =>
        new(ExitCode.AwsRefused, $"Reading AWS credentials from {source} failed: {why.Cause}. Nothing was changed. {why.Advice}.", exception);

    private static (string Cause, string Advice)? OfSignOn(Exception exception, CredentialProfile origin)
    {
        if (string.IsNullOrEmpty(origin.Options.SsoStartUrl) && string.IsNullOrEmpty(origin.Options.SsoSession)) return null;
        var login = $"Run 'aws sso login{(origin.Name == SharedCredentialsFile.DefaultProfileName ? "" : $" --profile {origin.Name}")}', {Again}";
        return Service(exception) switch
        {
            (AmazonSSOException or AmazonSSOOIDCException) and { ErrorCode: "ForbiddenException" } e =>
                ($"single sign-on gives no access to the role {origin.Options.SsoRoleName} in account {origin.Options.SsoAccountId} ({Says(e)})", $"Have whoever administers it grant that, {Again}"),
            (AmazonSSOException or AmazonSSOOIDCException) and { } e => ($"the single sign-on token is not accepted ({Says(e)})", login),
            null when Unreachable(exception) is null && exception is not TimeoutException => ("there is no valid single sign-on token", login),
            _ => null,
        };
    }

    private static (string Cause, string Advice) OfAny(Exception exception, string? role, string otherwise) => exception switch
    {
        _ when Service(exception) is { } e => ($"the role {role} was not given ({Says(e)})", $"Check who may assume the role and that the credentials behind it are valid, {Again}"),
        TimeoutException => ("they did not come within a minute", "Check the network, and a credential_process that may wait for somebody"),
        _ when Unreachable(exception) is { } e => ($"AWS cannot be reached ({OneLine(e.Message)})", $"Check the network, {Again}"),
        ProcessAWSCredentialException => ($"its credential_process failed ({OneLine(exception.Message)})", "Run that program by itself to see what it lacks"),
        _ => ($"the AWS SDK says: {OneLine(exception.Message)}", otherwise),
    };

    private static AmazonServiceException? Service(Exception exception) =>
        All(exception).OfType<AmazonServiceException>().FirstOrDefault(cause => !string.IsNullOrEmpty(cause.ErrorCode));

    // A file that is missing, such as a token, is no network.
    private static Exception? Unreachable(Exception exception) =>
        All(exception).LastOrDefault(cause => cause is HttpRequestException or IOException and not (FileNotFoundException or DirectoryNotFoundException));

    private static string Says(AmazonServiceException e) => $"AWS says {e.ErrorCode}: {OneLine(e.Message)}";

    private static IEnumerable<Exception> All(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException) yield return exception;
    }
}

using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Why credentials that something names cannot be had, in one paragraph for the user.</summary>
internal static class CredentialErrors
{
    private const string Again = "then run the same command again";

    /// <summary>The paragraph.</summary>
    /// <param name="exception">What the SDK threw.</param>
    /// <param name="profile">The profile, or null where the environment names the credentials.</param>
    public static DeploymentException Explain(Exception exception, CredentialProfile? profile)
    {
        var source = profile is null ? "the environment" : $"the profile '{profile.Name}'";
        var (cause, advice) = Cause(exception, profile);
        return new DeploymentException(ExitCode.AwsRefused, $"Reading AWS credentials from {source} failed: {cause}. Nothing was changed. {advice}.", exception);
    }

    /// <summary>A message of several lines as one, without a full stop.</summary>
    public static string OneLine(string text) =>
        string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).TrimEnd('.');

    private static (string Cause, string Advice) Cause(Exception exception, CredentialProfile? profile)
    {
        var causes = All(exception).ToList();
        var service = causes.OfType<AmazonServiceException>().FirstOrDefault(cause => !string.IsNullOrEmpty(cause.ErrorCode));
        var isSso = profile is not null && IsSso(profile);
        var login = profile is null || profile.Name == SharedCredentialsFile.DefaultProfileName ? "aws sso login" : $"aws sso login --profile {profile.Name}";
        if (service is not null)
        {
            var says = $"AWS says {service.ErrorCode}: {OneLine(service.Message)}";
            return isSso && service.ErrorCode.StartsWith("Forbidden", StringComparison.Ordinal)
                    ? ($"single sign-on gives no access to the role {profile!.Options.SsoRoleName} in account {profile.Options.SsoAccountId} ({says})", $"Have whoever administers it grant that, {Again}")
                : isSso ? ($"the single sign-on token is not accepted ({says})", $"Run '{login}', {Again}")
                : ($"the role {profile?.Options.RoleArn ?? Environment.GetEnvironmentVariable("AWS_ROLE_ARN")} was not given ({says})", $"Check who may assume the role and that the credentials behind it are valid, {Again}");
        }

        if (exception is TimeoutException) return ("they did not come within a minute", "Check the network, and a credential_process that may wait for somebody");
        if (causes.Any(cause => cause is HttpRequestException or IOException and not (FileNotFoundException or DirectoryNotFoundException)))
            return ($"AWS cannot be reached ({OneLine(causes[^1].Message)})", $"Check the network, {Again}");
        if (isSso) return ("there is no valid single sign-on token", $"Run '{login}', {Again}");
        if (causes.OfType<ProcessAWSCredentialException>().FirstOrDefault() is { } process)
            return ($"its credential_process failed ({OneLine(process.Message)})", "Run that program by itself to see what it lacks");
        return ($"the AWS SDK says: {OneLine(exception.Message)}", profile is null ? "Check the variables that begin with AWS_" : "Check the profile with 'aws sts get-caller-identity'");
    }

    // A role may stand on a profile that signs on.
    private static bool IsSso(CredentialProfile profile) => !string.IsNullOrEmpty(profile.Options.SsoStartUrl) || !string.IsNullOrEmpty(profile.Options.SsoSession);

    private static IEnumerable<Exception> All(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException) yield return exception;
    }
}

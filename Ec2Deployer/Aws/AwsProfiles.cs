using Amazon.Runtime.CredentialManagement;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>The profiles of <c>~/.aws/config</c> and <c>~/.aws/credentials</c>, as the AWS CLI reads them.</summary>
internal static class AwsProfiles
{
    private const int MaxNamed = 12;

    /// <summary>The profile that <c>AWS_PROFILE</c> names, or <c>default</c>.</summary>
    public static string SelectedName =>
        Environment.GetEnvironmentVariable("AWS_PROFILE")?.Trim() is { Length: > 0 } name ? name : SharedCredentialsFile.DefaultProfileName;

    private static string ConfigFile => Environment.GetEnvironmentVariable("AWS_CONFIG_FILE") is { Length: > 0 } file ? file : "~/.aws/config";

    private static string CredentialsFile => Environment.GetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE") is { Length: > 0 } file ? file : "~/.aws/credentials";

    /// <summary>The selected profile, or null where none is selected and there is no <c>default</c>.</summary>
    /// <exception cref="DeploymentException">The one that <c>AWS_PROFILE</c> names does not exist, or a file cannot be read.</exception>
    public static CredentialProfile? Selected(CredentialProfileStoreChain store)
    {
        var name = SelectedName;
        try
        {
            if (store.TryGetProfile(name, out var profile)) return profile;
            if (name == SharedCredentialsFile.DefaultProfileName) return null;
            var names = store.ListProfiles().Select(profile => profile.Name).Distinct().Order(StringComparer.Ordinal).ToList();
            var there = names.Count == 0 ? "there is none at all"
                : $"there are {string.Join(", ", names.Take(MaxNamed))}{(names.Count > MaxNamed ? $" and {names.Count - MaxNamed} more" : "")}";
            throw new DeploymentException(ExitCode.AwsRefused,
                $"Reading AWS credentials failed: the profile '{name}' that AWS_PROFILE names does not exist; in {ConfigFile} and {CredentialsFile} {there}. Nothing was changed. Set AWS_PROFILE to one that exists, or make it with 'aws configure --profile {name}'.");
        }
        catch (Exception e) when (e is not DeploymentException)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"Reading AWS credentials failed: {ConfigFile} or {CredentialsFile} cannot be read ({CredentialErrors.OneLine(e.Message)}). Nothing was changed. Mend the file.", e);
        }
    }

    /// <summary>The region that the selected profile names, or null.</summary>
    /// <exception cref="DeploymentException">A file cannot be read.</exception>
    public static string? Region()
    {
        var store = new CredentialProfileStoreChain();
        try
        {
            return store.TryGetProfile(SelectedName, out var profile) ? profile.Region?.SystemName : null;
        }
        catch (Exception e)
        {
            throw new DeploymentException(ExitCode.Usage,
                $"The region is not known: {ConfigFile} or {CredentialsFile} cannot be read ({CredentialErrors.OneLine(e.Message)}). Nothing was changed. Mend the file, or give --region.", e);
        }
    }

    /// <summary>Finds what the SDK could not use without asking somebody, or would tell in words that help nobody.</summary>
    /// <returns>The profile at the end of the way: the one itself, or the one from which its role is assumed.</returns>
    /// <exception cref="DeploymentException">A profile on the way asks for an MFA code, or does not exist.</exception>
    public static CredentialProfile Origin(CredentialProfile profile, CredentialProfileStoreChain store)
    {
        var seen = new HashSet<string>();
        for (var next = profile; ;)
        {
            if (!string.IsNullOrEmpty(next.Options.RoleArn) && !string.IsNullOrEmpty(next.Options.MfaSerial))
            {
                throw new DeploymentException(ExitCode.AwsRefused,
                    $"Reading AWS credentials failed: the profile '{next.Name}' asks for a code of {next.Options.MfaSerial} (mfa_serial), and this program asks nobody for codes. Nothing was changed. Let the AWS CLI ask: eval \"$(aws configure export-credentials --profile {profile.Name} --format env)\", or set what 'aws sts get-session-token --serial-number {next.Options.MfaSerial} --token-code CODE' shows as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; then run the same command again.");
            }

            if (string.IsNullOrEmpty(next.Options.RoleArn) || next.Options.SourceProfile is not { Length: > 0 } source || !seen.Add(next.Name)) return next;
            if (!store.TryGetProfile(source, out var found))
            {
                throw new DeploymentException(ExitCode.AwsRefused,
                    $"Reading AWS credentials failed: the profile '{next.Name}' takes its credentials from '{source}' (source_profile), which does not exist. Nothing was changed. Mend {ConfigFile}.");
            }

            next = found;
        }
    }
}

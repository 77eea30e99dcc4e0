using Amazon.EC2;
using Amazon.Runtime;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>What EC2's error codes mean, and one paragraph for the user about each.</summary>
internal static class Ec2Errors
{
    /// <summary>EC2, or the way to it, is busy: the same call may be made again.</summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        AmazonEC2Exception { ErrorCode: { } code } when IsNoCapacity(code) => false,
        AmazonEC2Exception e => e.ErrorCode is "RequestLimitExceeded" or "Throttling" or "ThrottlingException" or "RequestThrottled"
            or "RequestThrottledException" or "EC2ThrottledException" or "Unavailable" or "ServiceUnavailable" or "InternalError" or "InternalFailure"
            or "RequestTimeout" or "ServerInternal" || (int)e.StatusCode >= 500,
        HttpRequestException or IOException or TimeoutException => true,
        AmazonServiceException { InnerException: { } inner } => IsPassing(inner),
        _ => false,
    };

    /// <summary>EC2 does not know an identifier: it never existed, is gone, or is so new that not every server has heard of it.</summary>
    public static bool IsNotFound(string? code) => code is not null && code.EndsWith(".NotFound", StringComparison.Ordinal);

    /// <summary>The zone cannot run the instance now, another may.</summary>
    public static bool IsNoCapacity(string? code) => code is "InsufficientInstanceCapacity" or "InsufficientHostCapacity"
        or "InsufficientReservedInstanceCapacity" or "InsufficientFreeAddressesInSubnet";

    /// <summary>The zone never runs this type, another may.</summary>
    public static bool IsUnsupported(string? code) => code is "Unsupported";

    /// <summary>What EC2 says of credentials, permissions, the account and its quotas: it will say the same of the real call.</summary>
    public static bool IsFinal(string? code) => code is "UnauthorizedOperation" or "AccessDenied" or "AccessDeniedException" or "AuthFailure" or "InvalidClientTokenId"
        or "SignatureDoesNotMatch" or "UnrecognizedClientException" or "MissingAuthenticationToken" or "ExpiredToken" or "ExpiredTokenException" or "RequestExpired"
        or "OptInRequired" or "PendingVerification" or "Blocked" or "VcpuLimitExceeded" or "InstanceLimitExceeded" or "SecurityGroupLimitExceeded" or "AddressLimitExceeded" or "ResourceLimitExceeded";

    /// <summary>The paragraph.</summary>
    /// <param name="exception">What the SDK threw.</param>
    /// <param name="what">What was being done, as a gerund: <c>starting host-2</c>.</param>
    /// <param name="options">Region, type and name, for the advice.</param>
    /// <param name="left">What exists now, one sentence, or null where nothing was changed.</param>
    public static DeploymentException Explain(Exception exception, string what, DeploymentOptions options, string? left)
    {
        if (exception is DeploymentException known) return known;
        var (cause, advice) = exception switch
        {
            AmazonEC2Exception e => OfCode(e, options),
            AmazonClientException e when e.Message.StartsWith("Failed to resolve AWS credentials", StringComparison.Ordinal)
                => ("no AWS credentials were found in the environment, in ~/.aws or on this machine's role",
                    "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run 'aws sso login'; 'plan' works without any"),
            AmazonClientException e when e.Message.Contains("SSO", StringComparison.Ordinal)
                => ("the single sign-on token is no longer valid", "Run 'aws sso login' for the profile, then run the same command again"),
            AmazonClientException e => ($"the AWS SDK says: {OneLine(e.Message)}", "Check AWS_PROFILE and ~/.aws/config"),
            HttpRequestException or IOException or TimeoutException
                => ($"EC2 cannot be reached in {options.Region} ({OneLine(exception.Message)})", "Check the network, --region and --endpoint-url, then run the same command again"),
            _ => (OneLine(exception.Message), "Run the same command again"),
        };
        return new DeploymentException(ExitCode.AwsRefused, $"{Upper(what)} failed: {cause}. {left ?? "Nothing was changed."} {advice}.", exception);
    }

    private static (string Cause, string Advice) OfCode(AmazonEC2Exception e, DeploymentOptions options)
    {
        const string again = "then run the same command again: it goes on where this one stopped";
        if (ClockDifference.InWords(e, DateTimeOffset.UtcNow) is { } clock)
        {
            return ($"this machine's clock is {clock}, and EC2 takes no request with a wrong time ({e.ErrorCode})",
                $"Set the clock ('sudo timedatectl set-ntp true', in WSL 'sudo hwclock --hctosys'), {again}");
        }

        return e.ErrorCode switch
        {
            "UnauthorizedOperation" or "AccessDenied" or "AccessDeniedException" =>
                ($"the credentials are valid but lack the permission (EC2: {Message(e)})",
                    $"Have the action allowed by whoever administers the account ('iam' prints the policy to ask for), {again}"),
            "AuthFailure" or "InvalidClientTokenId" or "SignatureDoesNotMatch" or "UnrecognizedClientException" or "MissingAuthenticationToken" =>
                ($"EC2 does not accept the credentials ({e.ErrorCode})",
                    "Check AWS_PROFILE and the keys it names, and the region (one that is not enabled for the account, or belongs to another partition such as China or GovCloud, says the same)"),
            // Of a request that "expired" while the clock is right, the temporary credentials had.
            "ExpiredToken" or "ExpiredTokenException" or "RequestExpired" =>
                ($"the credentials have expired ({e.ErrorCode})", $"Renew them ('aws sso login', or new keys from the course's page), {again}"),
            "OptInRequired" or "PendingVerification" or "Blocked" =>
                ($"the account is not ready for EC2 in {options.Region} (EC2: {Message(e)})", "Sign in to the AWS console and finish what it asks for"),
            "VcpuLimitExceeded" or "InstanceLimitExceeded" =>
                ($"the account's quota of running processors for {options.InstanceType} in {options.Region} is used up ({e.ErrorCode}; EC2: {Message(e)})",
                    $"It is {LaunchFacts.QuotaOf(options.InstanceType)}; what it allows, {LaunchFacts.HowToLook(options)}. Ask for more there, or take fewer --hosts, a smaller --instance-type or another --region, {again}"),
            { } code when IsNoCapacity(code) =>
                ($"no zone of {options.Region} can run another {options.InstanceType} now ({code})",
                    $"Wait some minutes and run the same command again, or take another --instance-type ({HostArchitecture.OfType(options.InstanceType).Examples}) or --region"),
            { } code when IsUnsupported(code) =>
                ($"{options.InstanceType} does not run in any of the zones of {options.Region} that were tried (EC2: {Message(e)})",
                    $"Waiting does not change that: take another --instance-type ({HostArchitecture.OfType(options.InstanceType).Examples}) or --region, {again}"),
            "InvalidAMIID.NotFound" or "InvalidAMIID.Malformed" or "InvalidAMIID.Unavailable" =>
                ($"the machine image does not exist in {options.Region} (EC2: {Message(e)})", "Images belong to one region: give an --image of this one, or none"),
            "InvalidSubnetID.NotFound" => ($"a subnet does not exist in {options.Region} (EC2: {Message(e)})", "Give a --subnet of this region, or '--subnet \"\"' for the default VPC's"),
            "AddressLimitExceeded" => ($"the account may have no more Elastic IP addresses in {options.Region} (EC2: {Message(e)})", $"{Ec2Addresses.WayOut(options)}, {again}"),
            "SecurityGroupLimitExceeded" or "ResourceLimitExceeded" or "RulesPerSecurityGroupLimitExceeded" or "VolumeLimitExceeded" or "MaxIOPSLimitExceeded" =>
                ($"a quota of the account is used up ({e.ErrorCode}; EC2: {Message(e)})", $"Remove what is no longer needed or ask for more under Service Quotas, {again}"),
            "RequestLimitExceeded" or "Throttling" or "ThrottlingException" =>
                ($"EC2 throttles the account and went on doing so ({e.ErrorCode})", "Something else in the account calls EC2 very often: wait, " + again),
            "IncorrectInstanceState" or "IncorrectState" =>
                ($"EC2 refuses it in the present state (EC2: {Message(e)})", "Run the same command again in a minute"),
            _ => ($"EC2 says {e.ErrorCode}: {Message(e)}", "Run the same command again; if it says the same, 'destroy' removes everything"),
        };
    }

    // EC2 appends a kilobyte that only an administrator can decode.
    private static string Message(AmazonEC2Exception e)
    {
        var text = OneLine(e.Message);
        var encoded = text.IndexOf("Encoded authorization failure message", StringComparison.Ordinal);
        return (encoded > 0 ? text[..encoded] : text).TrimEnd(' ', '.');
    }

    internal static string OneLine(string text) => string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).TrimEnd('.');

    private static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}

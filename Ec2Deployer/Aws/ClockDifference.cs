using System.Globalization;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Aws;

/// <summary>
/// How far this machine's clock is from AWS's. Requests bear the time at which they were signed, and one whose time is
/// wrong by more than some minutes is refused as if the credentials were.
/// </summary>
internal static class ClockDifference
{
    // What AWS bears is five minutes; less cannot be the cause, even where the answer was long under way.
    private static readonly TimeSpan Borne = TimeSpan.FromMinutes(4);

    /// <summary>What a refusal says about the clock, in words such as <c>1h behind AWS's</c>; null where it cannot be the cause, or nobody knows.</summary>
    /// <param name="refusal">What the SDK threw.</param>
    /// <param name="now">The time by this machine's clock.</param>
    public static string? InWords(AmazonServiceException refusal, DateTimeOffset now)
    {
        if (refusal.ErrorCode is not ("AuthFailure" or "SignatureDoesNotMatch" or "InvalidSignatureException" or "RequestExpired" or "RequestTimeTooSkewed" or "RequestInTheFuture")) return null;
        if (refusal.InnerException is not HttpErrorResponseException { Response: { } answer }) return null;
        if (!DateTimeOffset.TryParseExact(answer.GetHeaderValue("Date"), "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var theirs)) return null;
        var difference = now - theirs;
        return difference.Duration() < Borne ? null : $"{Durations.Text(difference.Duration())} {(difference > TimeSpan.Zero ? "ahead of" : "behind")} AWS's";
    }
}

using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

internal sealed partial class StandIn
{
    private static readonly TimeSpan BorneDifference = TimeSpan.FromMinutes(5);

    /// <summary>Every answer says what time it is; a request that was signed at another one is refused.</summary>
    private void CheckClock(HttpContext context)
    {
        var now = DateTimeOffset.UtcNow + Options.Clock;
        context.Response.Headers.Date = now.ToString("r", CultureInfo.InvariantCulture);
        var signed = DateTimeOffset.ParseExact(context.Request.Headers["X-Amz-Date"].ToString(), "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        if ((now - signed).Duration() > BorneDifference) throw new Ec2Fault("RequestExpired", "Request has expired.");
    }
}

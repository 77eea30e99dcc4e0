using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// Tells who is refused for want of a key: at most one line of each kind in ten seconds, with the number of those that
/// got none, for whoever guesses keys could otherwise fill a disk.
/// </summary>
internal sealed partial class RefusalLog(TimeProvider time, ILogger<RefusalLog> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Throttle _unknown = new();
    private readonly Throttle _forbidden = new();
    private readonly Throttle _inTheClear = new();

    /// <summary>A request without a valid key was refused (401).</summary>
    /// <param name="context">The request.</param>
    /// <param name="hadKey">Whether it brought one.</param>
    public void Unauthorized(HttpContext context, bool hadKey)
    {
        if (_unknown.TryPass(time, out var others)) LogUnauthorized(logger, AddressOf(context), hadKey ? "an unknown key" : "no key", others);
    }

    /// <summary>A request whose key has not the scope was refused (403).</summary>
    /// <param name="context">The request.</param>
    public void Forbidden(HttpContext context)
    {
        // The endpoint's name, not the path: that is what the caller has written.
        if (_forbidden.TryPass(time, out var others))
            LogForbidden(logger, context.User.Identity?.Name ?? "", AddressOf(context), context.GetEndpoint()?.DisplayName ?? "", others);
    }

    /// <summary>A request that brought a key without TLS was refused (403).</summary>
    /// <param name="context">The request.</param>
    public void InTheClear(HttpContext context)
    {
        if (_inTheClear.TryPass(time, out var others)) LogInTheClear(logger, AddressOf(context), others);
    }

    private static string AddressOf(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "a local socket";

    [LoggerMessage(1, LogLevel.Warning, "A request from {Address} with {What} was refused; {Others} more since the last such line")]
    private static partial void LogUnauthorized(ILogger logger, string address, string what, long others);

    [LoggerMessage(2, LogLevel.Warning, "{Key}, calling from {Address}, holds no admin key and was refused {Endpoint}; {Others} more since the last such line")]
    private static partial void LogForbidden(ILogger logger, string key, string address, string endpoint, long others);

    [LoggerMessage(3, LogLevel.Warning, "A request from {Address} sent its key without TLS and was refused: whoever was on the way may have read the key, replace it; {Others} more since the last such line")]
    private static partial void LogInTheClear(ILogger logger, string address, long others);

    private sealed class Throttle
    {
        private long _next;
        private long _others;

        public bool TryPass(TimeProvider time, out long others)
        {
            var now = time.GetTimestamp();
            var next = Volatile.Read(ref _next);
            if ((next != 0 && now < next) || Interlocked.CompareExchange(ref _next, now + (long)(Interval.TotalSeconds * time.TimestampFrequency), next) != next)
            {
                Interlocked.Increment(ref _others);
                others = 0;
                return false;
            }

            others = Interlocked.Exchange(ref _others, 0);
            return true;
        }
    }
}

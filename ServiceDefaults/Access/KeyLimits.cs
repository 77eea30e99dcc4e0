using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>How many requests each key may make: a token bucket for each holder, and none for whoever needs no key.</summary>
internal sealed class KeyLimits(IOptionsMonitor<AccessOptions> options) : IDisposable
{
    private const int SecondsOfBurst = 10;

    /// <summary>The buckets, by the holder's name; the empty name is nobody's and has no limit.</summary>
    public PartitionedRateLimiter<string> Limiter { get; } = PartitionedRateLimiter.Create<string, string>(holder => Of(holder, options.CurrentValue));

    public void Dispose() => Limiter.Dispose();

    private static RateLimitPartition<string> Of(string holder, AccessOptions options) =>
        options.RequestsPerSecond == 0 || holder.Length == 0
            ? RateLimitPartition.GetNoLimiter("")
            : RateLimitPartition.GetTokenBucketLimiter(holder, _ => new()
            {
                TokenLimit = options.Burst > 0 ? options.Burst : options.RequestsPerSecond * SecondsOfBurst,
                TokensPerPeriod = options.RequestsPerSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
            });
}

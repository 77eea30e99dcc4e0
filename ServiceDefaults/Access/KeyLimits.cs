using System.Collections.Concurrent;
using System.Threading.RateLimiting;

namespace Lab.ServiceDefaults.Access;

/// <summary>How many requests each key may make: a token bucket for each holder, and none for whoever needs no key.</summary>
internal sealed class KeyLimits : IDisposable
{
    private const int SecondsOfBurst = 10;

    private static readonly RateLimitPartition<string> NoLimit = RateLimitPartition.GetNoLimiter("");

    private readonly KeyRing _keys;
    private readonly Func<string, RateLimitPartition<string>> _bucketOf;
    private readonly ConcurrentDictionary<string, RateLimitPartition<string>> _buckets = new(StringComparer.Ordinal);

    public KeyLimits(KeyRing keys)
    {
        _keys = keys;
        _bucketOf = BucketOf;
        Limiter = PartitionedRateLimiter.Create<string, string>(Of);
    }

    /// <summary>The buckets, by the holder's name; the empty name is nobody's and has no limit.</summary>
    public PartitionedRateLimiter<string> Limiter { get; }

    public void Dispose() => Limiter.Dispose();

    private RateLimitPartition<string> Of(string holder) =>
        holder.Length == 0 || _keys.State.RequestsPerSecond == 0 ? NoLimit : _buckets.GetOrAdd(holder, _bucketOf);

    private RateLimitPartition<string> BucketOf(string holder) => RateLimitPartition.GetTokenBucketLimiter(holder, _ =>
    {
        var options = _keys.State;
        // Between asking whether there is a limit and making it, it may have been lifted; a bucket needs one all the same.
        var perSecond = Math.Max(1, options.RequestsPerSecond);
        return new()
        {
            TokenLimit = options.Burst > 0 ? options.Burst : (int)Math.Min(int.MaxValue, (long)perSecond * SecondsOfBurst),
            TokensPerPeriod = perSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
        };
    });
}

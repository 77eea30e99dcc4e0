using Amazon.EC2;

namespace Lab.Ec2Deployer.Aws;

/// <summary>
/// Makes calls to EC2 and repeats those that may be repeated: throttled ones, passing faults, and, where asked for,
/// those that name something so new that EC2 does not know it everywhere yet. Where that takes long, it is told.
/// </summary>
/// <param name="ec2">The region's client.</param>
/// <param name="pace">How often and how long.</param>
/// <param name="time">The clock of every wait.</param>
/// <param name="note">Told when EC2 has not answered for <see cref="Ec2Pace.Silence"/>, and when it does again; null: nobody is.</param>
internal sealed class Ec2Calls(IAmazonEC2 ec2, Ec2Pace pace, TimeProvider time, Action<string>? note = null)
{
    private readonly Ec2Silence _silence = new(pace, time, note);

    /// <summary>How often and how long.</summary>
    public Ec2Pace Pace => pace;

    /// <summary>The clock of every wait.</summary>
    public TimeProvider Time => time;

    /// <summary>Calls until it is answered, refused, or the time is up; then throws what the last try threw.</summary>
    /// <param name="call">The call. It must be harmless to make it twice.</param>
    /// <param name="cancellationToken">Ends the waits.</param>
    /// <param name="fresh">"Not found" is borne for <see cref="Ec2Pace.Consistency"/>.</param>
    public async Task<T> CallAsync<T>(Func<IAmazonEC2, CancellationToken, Task<T>> call, CancellationToken cancellationToken, bool fresh = false)
    {
        var began = time.GetTimestamp();
        using var watch = _silence.Watch<T>();
        for (var delay = pace.InitialDelay; ; delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, pace.MaxDelay.Ticks)))
        {
            try
            {
                var answer = await call(ec2, cancellationToken);
                watch.Answered();
                return answer;
            }
            catch (Exception e) when (time.GetElapsedTime(began) < Patience(e, fresh))
            {
                // What would have been tried again is not why it ends: the user is.
                cancellationToken.ThrowIfCancellationRequested();
                watch.Failed(e);
                // Half of it by chance, so that deployers that were throttled together do not come back together.
                await Task.Delay(delay * (0.5 + Random.Shared.NextDouble() / 2), time, cancellationToken);
            }
        }
    }

    /// <summary>Polls until something is found.</summary>
    /// <returns>What was found, or null when the time was up.</returns>
    public async Task<T?> UntilAsync<T>(Func<CancellationToken, Task<T?>> read, TimeSpan patience, CancellationToken cancellationToken) where T : class
    {
        var began = time.GetTimestamp();
        while (true)
        {
            if (await read(cancellationToken) is { } found) return found;
            if (time.GetElapsedTime(began) >= patience) return null;
            await Task.Delay(pace.Poll, time, cancellationToken);
        }
    }

    /// <summary>All pages of a list, one after another.</summary>
    /// <param name="page">Fetches the page of a token, null for the first, and returns its items and the next token.</param>
    /// <param name="cancellationToken">Ends it between two pages.</param>
    public static async Task<List<T>> AllAsync<T>(
        Func<string?, CancellationToken, Task<(IEnumerable<T>? Items, string? Next)>> page, CancellationToken cancellationToken)
    {
        var all = new List<T>();
        string? token = null;
        do
        {
            (var items, token) = await page(token, cancellationToken);
            // The SDK gives null for an empty list.
            all.AddRange(items ?? []);
        }
        while (!string.IsNullOrEmpty(token));
        return all;
    }

    /// <summary>A list, or none where the account may not ask for it.</summary>
    /// <param name="ask">The call.</param>
    /// <param name="isNeeded">A refusal is thrown.</param>
    public static async Task<(List<T> Items, bool Refused)> WhereAllowedAsync<T>(Task<List<T>> ask, bool isNeeded = false)
    {
        try
        {
            return (await ask, false);
        }
        catch (AmazonEC2Exception e) when (!isNeeded && e.ErrorCode is "UnauthorizedOperation" or "AccessDenied")
        {
            return ([], true);
        }
    }

    private TimeSpan Patience(Exception exception, bool fresh) =>
        Ec2Errors.IsPassing(exception) ? pace.Faults
        : fresh && exception is AmazonEC2Exception { ErrorCode: var code } && Ec2Errors.IsNotFound(code) ? pace.Consistency
        : TimeSpan.Zero;
}

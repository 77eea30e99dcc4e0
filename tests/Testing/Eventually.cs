using System.Diagnostics;
using Xunit;

namespace Lab.Testing;

/// <summary>Waits for what comes by itself, and fails with a reason where it does not come.</summary>
public static class Eventually
{
    /// <summary>How long a wait lasts where nothing else is said.</summary>
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">Asked again and again. A service that does not listen yet is no failure.</param>
    /// <param name="what">What is waited for.</param>
    /// <param name="detail">What a reader of the failure wants to see beside it, such as a process's output.</param>
    /// <param name="limit">How long; <see cref="DefaultLimit"/> where it is not given.</param>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, Func<string>? detail = null, TimeSpan? limit = null)
    {
        ArgumentNullException.ThrowIfNull(condition);
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            if (Stopwatch.GetElapsedTime(started) > (limit ?? DefaultLimit)) Assert.Fail($"Still not so after {limit ?? DefaultLimit}: {what}\n{detail?.Invoke()}");
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, string, Func{string}?, TimeSpan?)"/>
    public static Task TrueAsync(Func<bool> condition, string what, Func<string>? detail = null, TimeSpan? limit = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, detail, limit);
}

using System.Diagnostics;
using Xunit;

namespace Lab.Testing;

/// <summary>Waits for what comes by itself, and fails with a reason where it does not come.</summary>
public static class Eventually
{
    /// <summary>How long a wait lasts where nothing else is said.</summary>
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until there is something.</summary>
    /// <param name="get">Asked again and again while it gives <c>null</c>. A service that gives no answer yet is no failure; one that answers with an error is.</param>
    /// <param name="what">What is waited for.</param>
    /// <param name="detail">What a reader of the failure wants to see beside it, such as a process's output.</param>
    /// <param name="limit">How long; <see cref="DefaultLimit"/> where it is not given.</param>
    public static async Task<T> GetAsync<T>(Func<Task<T?>> get, string what, Func<string>? detail = null, TimeSpan? limit = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(get);
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await get() is { } value) return value;
            }
            catch (HttpRequestException e) when (e.StatusCode is null)
            {
                // Not listening yet.
            }

            if (Stopwatch.GetElapsedTime(started) > (limit ?? DefaultLimit)) Fail(what, detail, limit);
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">Asked again and again. A service that gives no answer yet is no failure; one that answers with an error is.</param>
    /// <param name="what">What is waited for.</param>
    /// <param name="detail">What a reader of the failure wants to see beside it, such as a process's output.</param>
    /// <param name="limit">How long; <see cref="DefaultLimit"/> where it is not given.</param>
    public static Task TrueAsync(Func<Task<bool>> condition, string what, Func<string>? detail = null, TimeSpan? limit = null) =>
        GetAsync(async () => await condition() ? what : null, what, detail, limit);

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, string, Func{string}?, TimeSpan?)"/>
    public static Task TrueAsync(Func<bool> condition, string what, Func<string>? detail = null, TimeSpan? limit = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, detail, limit);

    /// <summary>Waits until a task has ended.</summary>
    /// <param name="task">The task.</param>
    /// <param name="what">What is waited for.</param>
    /// <param name="detail">What a reader of the failure wants to see beside it, such as a process's output.</param>
    /// <param name="limit">How long; <see cref="DefaultLimit"/> where it is not given.</param>
    public static async Task DoneAsync(Task task, string what, Func<string>? detail = null, TimeSpan? limit = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        try
        {
            await task.WaitAsync(limit ?? DefaultLimit, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            Fail(what, detail, limit);
        }
    }

    /// <inheritdoc cref="DoneAsync(Task, string, Func{string}?, TimeSpan?)"/>
    public static async Task<T> DoneAsync<T>(Task<T> task, string what, Func<string>? detail = null, TimeSpan? limit = null)
    {
        await DoneAsync((Task)task, what, detail, limit);
        return await task;
    }

    private static void Fail(string what, Func<string>? detail, TimeSpan? limit) => Assert.Fail($"Still not so after {limit ?? DefaultLimit}: {what}\n{detail?.Invoke()}");
}

using System.Diagnostics;

namespace Lab.AppHost.Tests.LocalHost;

/// <summary>Waiting for what must become true, with a deadline that only a broken program meets.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    public static Task TrueAsync(Func<bool> condition, Func<string> explanation)
        => TrueAsync(() => Task.FromResult(condition()), explanation);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> explanation)
    {
        for (var begun = Stopwatch.GetTimestamp(); !await condition();)
        {
            if (Stopwatch.GetElapsedTime(begun) > Deadline)
                Assert.Fail($"Not so within {Deadline.TotalSeconds} s: {explanation()}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}

using Lab.AppHost.LocalHost;

namespace Lab.AppHost.Tests.LocalHost;

public sealed class TimingTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 16)]
    [InlineData(6, 30)]
    [InlineData(1_000_000, 30)]
    public void Backoff_CrashesInARow_DoublesUpToALimit(int crashes, int seconds)
        => Assert.Equal(TimeSpan.FromSeconds(seconds), new Timing().Backoff(crashes));

    [Theory]
    [InlineData(0, 200)]
    [InlineData(10_000, 1000)]
    [InlineData(600_000, 5000)]
    public void NextProbe_LongUnready_ComesLater(int unready, int milliseconds)
        => Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), new Timing().NextProbe(TimeSpan.FromMilliseconds(unready)));
}

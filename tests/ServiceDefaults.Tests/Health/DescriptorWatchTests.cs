using Lab.ServiceDefaults.Health;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Tests.Health;

public sealed class DescriptorWatchTests
{
    [Fact]
    public void Limit_OnLinux_IsKnown() => Assert.Equal(OperatingSystem.IsLinux(), DescriptorWatch.Limit is > 0);

    [Theory]
    [InlineData(901L)]
    [InlineData(null)]
    public void Check_NineTenthsInUse_IsToldOnceUntilItIsOver(long? open)
    {
        using var log = new RememberedLog();
        using var loggers = LoggerFactory.Create(builder => builder.AddProvider(log));
        using var watch = new DescriptorWatch(TimeProvider.System, loggers.CreateLogger<DescriptorWatch>());
        Assert.False(watch.Check(899, 1000, wasScarce: false));
        Assert.Empty(log.Messages);
        Assert.True(watch.Check(open, 1000, wasScarce: false));
        Assert.True(watch.Check(open, 1000, wasScarce: true));
        Assert.Contains("1000 are in use", Assert.Single(log.Messages), StringComparison.Ordinal);
        Assert.False(watch.Check(899, 1000, wasScarce: true));
        Assert.True(watch.Check(open, 1000, wasScarce: false));
        Assert.Equal(2, log.Messages.Count);
    }
}

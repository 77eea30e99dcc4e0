using Lab.AppHost.LocalHost;

namespace Lab.AppHost.Tests.LocalHost;

public sealed class RingTests
{
    [Fact]
    public void Add_MoreThanItHolds_ForgetsTheOldest()
    {
        var ring = new Ring<int>(3);
        for (var i = 1; i <= 5; i++)
            ring.Add(i);

        Assert.Equal([3, 4, 5], ring.ToArray());
        Assert.Equal(5, ring.Total);
    }

    [Fact]
    public void Add_ByManyThreads_LosesNothingOfTheCount()
    {
        var ring = new Ring<int>(10);
        Parallel.For(0, 10_000, ring.Add);

        Assert.Equal(10_000, ring.Total);
        Assert.Equal(10, ring.ToArray().Length);
    }
}

using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Inference;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Worker.Tests.Inference;

/// <summary>For how long a worker says that it is busy.</summary>
public sealed class BusyTimeTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Milliseconds_AfterSome_FollowFromSizeAndRecentSpeed()
    {
        var busy = new BusyTime(_time);
        for (var i = 0; i < 20; i++) Compute(busy, tokens: 10, ms: 20);
        busy.Begin(40);
        _time.Advance(TimeSpan.FromMilliseconds(30));
        Assert.InRange(busy.Milliseconds(), 49, 51);
        _time.Advance(TimeSpan.FromMilliseconds(130));
        // It takes twice as long as was thought, and is not said to be over at once.
        Assert.InRange(busy.Milliseconds(), 39, 41);
        busy.End(40);

        // The machine has become slower.
        for (var i = 0; i < 20; i++) Compute(busy, tokens: 10, ms: 60);
        busy.Begin(10);
        Assert.InRange(busy.Milliseconds(), 55, 62);
    }

    [Fact]
    public void Milliseconds_NothingKnownOrHuge_AreBounded()
    {
        var busy = new BusyTime(_time);
        Assert.Equal(1, busy.Milliseconds());
        busy.Begin(512);
        Assert.Equal(1, busy.Milliseconds());
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(DispatchHeaders.MaxBusyMs, busy.Milliseconds());
        busy.End(0);
        Assert.Equal(1, busy.Milliseconds());
    }

    [Fact]
    public void IdleMilliseconds_CountFromTheStartAndFromTheEndOfEachComputation()
    {
        var busy = new BusyTime(_time);
        _time.Advance(TimeSpan.FromMilliseconds(7));
        Assert.Equal(7, busy.IdleMilliseconds());
        busy.Begin(10);
        Assert.Null(busy.IdleMilliseconds());
        _time.Advance(TimeSpan.FromMilliseconds(5));
        busy.End(10);
        Assert.Equal(0, busy.IdleMilliseconds());
        _time.Advance(TimeSpan.FromMilliseconds(2.5));
        Assert.Equal(2, busy.IdleMilliseconds());
    }

    [Fact]
    public void TokensOf_Texts_AreNoMoreThanTheModelReads() =>
        Assert.Equal(4 + 128, BusyTime.TokensOf([new("good"), new(new string('x', 10_000), "pair")], maxTokens: 128));

    private void Compute(BusyTime busy, int tokens, double ms)
    {
        busy.Begin(tokens);
        _time.Advance(TimeSpan.FromMilliseconds(ms));
        busy.End(tokens);
    }
}

using System.Diagnostics.Metrics;
using Lab.Orchestrator.ClusterPage.Live;
using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.ClusterPage;

public sealed class LastMinuteTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly LatencyHistogram _times = new();
    private readonly LastMinute _minute;
    private long _answered;

    public LastMinuteTests() => _minute = new(_services.GetRequiredService<IMeterFactory>(), _time);

    [Fact]
    public void Add_LoadThatChanges_TellsTheLastMinuteAlone()
    {
        // Five minutes at 100 a second and a second each, then one at 10 a second and 20 ms each.
        for (var second = 0; second < 300; second++) Pass(count: 100, milliseconds: 1000);
        Assert.Equal(100, _minute.Latest.PerSecond, 1e-9);
        Assert.InRange(_minute.Latest.P99!.Value.TotalMilliseconds, 900, 1100);
        for (var second = 0; second < 60; second++) Pass(count: 10, milliseconds: 20);

        Assert.Equal(10, _minute.Latest.PerSecond, 1e-9);
        Assert.InRange(_minute.Latest.P99!.Value.TotalMilliseconds, 18, 22);
    }

    [Fact]
    public void Add_NoRequestInAMinute_HasNoTime()
    {
        Pass(count: 5, milliseconds: 10);
        for (var second = 0; second < 61; second++) Pass(count: 0, milliseconds: 0);

        Assert.Equal(new Traffic(0, null), _minute.Latest);
    }

    public void Dispose() => _services.Dispose();

    private void Pass(int count, double milliseconds)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < count; i++) _times.Add(milliseconds);
        _answered += count;
        _minute.Add(new(_time.GetTimestamp(), 0, 0, new(_answered, _answered, 0, [], [], _times.Copy()), [], 0, null));
    }
}

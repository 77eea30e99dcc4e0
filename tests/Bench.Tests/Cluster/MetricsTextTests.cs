using Lab.Bench.Cluster;

namespace Lab.Bench.Tests.Cluster;

public sealed class MetricsTextTests
{
    [Fact]
    public void Sum_ByNameAndLabel_AddsThoseOnly()
    {
        var metrics = new MetricsText("""
            # TYPE lab_requests_total counter
            lab_requests_total{otel_scope_name="Lab",outcome="answered"} 12 1732551234567
            lab_requests_total{outcome="failed"} 3
            lab_requests_total_other 100
            lab_queue_duration_seconds_sum 1.5e-3
            """);

        Assert.Equal(12, metrics.Sum("lab_requests_total", "outcome=\"answered\""));
        Assert.Equal(15, metrics.Sum("lab_requests_total"));
        Assert.Equal(0.0015, metrics.Sum("lab_queue_duration_seconds_sum"));
        Assert.Equal(0, metrics.Sum("unknown"));
    }
}

using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Tests.Fleet;

public sealed class FleetTrafficTests
{
    [Fact]
    public void Parse_MetricsOfAnOrchestrator_FindsTheLastMinute()
    {
        const string Metrics = """
            # HELP lab_last_minute_requests_per_second Requests answered a second, over the last minute.
            # TYPE lab_last_minute_requests_per_second gauge
            lab_last_minute_requests_per_second{otel_scope_name="Lab.Orchestrator"} 12.5 1790000000000
            # TYPE lab_last_minute_p99_seconds gauge
            # UNIT lab_last_minute_p99_seconds seconds
            lab_last_minute_p99_seconds 0.0425
            lab_queue_depth 3
            """;

        Assert.Equal(new FleetTraffic(12.5, 42.5), FleetTraffic.Parse(Metrics));
    }

    [Theory]
    [InlineData("")]
    [InlineData("lab_queue_depth 3\n")]
    [InlineData("lab_last_minute_requests_per_second NaN\n")]
    [InlineData("lab_last_minute_requests_per_second\n")]
    [InlineData("lab_last_minute_requests_per_second -1\n")]
    [InlineData("lab_last_minute_requests_per_second_of_another 7\n")]
    public void Parse_AnotherVersionOrNonsense_IsUnknown(string metrics) => Assert.Null(FleetTraffic.Parse(metrics));

    [Fact]
    public void Of_SeveralOrchestrators_AddsRatesAndTakesTheSlowest()
    {
        Assert.Equal(new FleetTraffic(6, 80), FleetTraffic.Of([new(1, null), new(2, 80), new(3, 40)]));
        Assert.Null(FleetTraffic.Of([]));
    }
}

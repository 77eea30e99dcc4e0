using Lab.Bench.Reporting;

namespace Lab.Bench.Tests.Reporting;

public sealed class PriceTests
{
    [Theory]
    [InlineData("0.36", 100, "Cost of a million requests: 1.00 US dollars, on hosts for 0.360 an hour at 100.0 requests/s.")]
    [InlineData("0.0864", 100, "Cost of a million requests: 0.24 US dollars, on hosts for 0.0864 an hour at 100.0 requests/s.")]
    [InlineData("unknown", 100, "Cost of a million requests: unknown, for the price of the hosts is.")]
    [InlineData("0.36", 0, "Cost of a million requests: unknown, for none was answered.")]
    [InlineData(null, 100, null)]
    public void Sentence_PriceAndThroughput_TellsWhatAMillionCosts(string? hourly, double throughput, string? expected) => Assert.Equal(expected, Price.Sentence(hourly, throughput));
}

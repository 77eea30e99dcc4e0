using Lab.ServiceDefaults.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Lab.ServiceDefaults.Tests.Telemetry;

[Collection(nameof(ActivityListeners))]
public sealed class TelemetryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", false)]
    [InlineData("http://127.0.0.1:9", true)]
    public async Task Start_WithOrWithoutReceiver_RecordsSpansOnlyForOne(string endpoint, bool records)
    {
        await using var service = await SampleService.StartAsync($"--{TelemetryExtensions.EndpointVariable}={endpoint}");
        Assert.Equal(records, service.Services.GetService<TracerProvider>() is not null);
        Assert.NotNull(service.Services.GetService<MeterProvider>());
    }

    [Fact]
    public async Task GetMetrics_AfterARequest_CountsIt()
    {
        await using var service = await SampleService.StartAsync();
        using var response = await service.SendAsync("GET", "/slow");
        var metrics = await service.Client.GetStringAsync(TelemetryExtensions.MetricsPath, Cancellation);
        Assert.Contains("http_route=\"/slow\"", metrics, StringComparison.Ordinal);
        Assert.Contains("dotnet_", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c")]
    [InlineData("nonsense", "none")]
    [InlineData(null, "none")]
    public async Task Request_WithTraceOfTheClient_GoesOnWithIt(string? traceParent, string expected)
    {
        await using var service = await SampleService.StartAsync();
        if (traceParent is not null) service.Client.DefaultRequestHeaders.Add("traceparent", traceParent);
        Assert.Equal(expected, await service.Client.GetStringAsync("/trace", Cancellation));
    }
}

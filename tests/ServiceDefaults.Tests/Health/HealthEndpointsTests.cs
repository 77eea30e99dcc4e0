using Microsoft.Extensions.DependencyInjection;

namespace Lab.ServiceDefaults.Tests.Health;

public sealed class HealthEndpointsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/health", true, 200, """{"status":"healthy","checks":{"self":"healthy","model":"loaded"}}""")]
    [InlineData("/health", false, 503, """{"status":"unhealthy","checks":{"self":"healthy","model":"loading"}}""")]
    [InlineData("/alive", true, 200, """{"status":"healthy","checks":{"self":"healthy"}}""")]
    [InlineData("/alive", false, 200, """{"status":"healthy","checks":{"self":"healthy"}}""")]
    public async Task Get_ReadyOrNot_TellsEachCheck(string path, bool isReady, int status, string body)
    {
        await using var service = await SampleService.StartAsync();
        service.Services.GetRequiredService<SampleService.Readiness>().IsReady = isReady;
        using var response = await service.SendAsync("GET", path);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(body, await response.Content.ReadAsStringAsync(Cancellation));
    }
}

using System.Diagnostics;
using System.Text;
using Lab.ServiceDefaults.Health;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Lab.ServiceDefaults.Tests.Health;

public sealed class WarmUpTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PostAsync_PassesThePipelineWithoutTelemetry()
    {
        using var source = new ActivitySource("WarmUpTests");
        using var tracing = Sdk.CreateTracerProviderBuilder().AddSource(source.Name).SetSampler(new AlwaysOnSampler()).Build();
        string? seen = null;
        await using var app = await CreateAsync(useWarmUp: true, async context =>
        {
            using var span = source.StartActivity("inside");
            using var reader = new StreamReader(context.Request.Body);
            seen = $"{context.Request.ContentType} {await reader.ReadToEndAsync(Cancellation)} {WarmUp.IsUnderWay} {span is null}";
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            await context.Response.WriteAsync("read by nobody", Cancellation);
        });

        Assert.Equal(202, await PostAsync(app));
        Assert.Equal("text/plain warm? True True", seen);
        Assert.False(WarmUp.IsUnderWay);
    }

    [Fact]
    public async Task PostAsync_ApplicationThatDoesNotTakePart_Is404()
    {
        await using var app = await CreateAsync(useWarmUp: false, _ => throw new InvalidOperationException("It is asked after all."));
        Assert.Equal(404, await PostAsync(app));
    }

    private static Task<int> PostAsync(WebApplication app) =>
        app.Services.GetRequiredService<WarmUp>().PostAsync("/work", "text/plain", Encoding.UTF8.GetBytes("warm?"), Cancellation);

    private static async Task<WebApplication> CreateAsync(bool useWarmUp, RequestDelegate work)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddWarmUp();
        var app = builder.Build();
        if (useWarmUp) app.UseWarmUp();
        app.UseRouting();
        app.MapPost("/work", work);
        // The pipeline is put together as the host starts.
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync(Cancellation);
        return app;
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;

namespace Lab.ServiceDefaults.Health;

/// <summary>
/// Requests that a service sends through its own pipeline before it says that it is ready: code is compiled when it first
/// runs, which costs the first client tens of milliseconds. They come from no socket, and no telemetry tells of them.
/// </summary>
/// <param name="scopes">Makes the services of a request.</param>
public sealed class WarmUp(IServiceScopeFactory scopes)
{
    private RequestDelegate? _pipeline;

    /// <summary>Whether what runs now belongs to such a request, and is to be counted nowhere.</summary>
    public static bool IsUnderWay => Sdk.SuppressInstrumentation;

    /// <summary>Sends a request and waits for its end.</summary>
    /// <param name="path">The endpoint's path.</param>
    /// <param name="contentType">The body's type.</param>
    /// <param name="body">The body.</param>
    /// <param name="cancellationToken">Aborts the request.</param>
    /// <returns>The answer's status; 404 where the application has not called <see cref="WarmUpExtensions.UseWarmUp"/>.</returns>
    public async Task<int> PostAsync(string path, string contentType, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (_pipeline is null) return StatusCodes.Status404NotFound;
        using var suppressed = SuppressInstrumentationScope.Begin();
        await using var scope = scopes.CreateAsyncScope();
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext
        {
            RequestServices = scope.ServiceProvider,
            RequestAborted = cancellationToken,
            Request =
            {
                Scheme = "http", Host = new("localhost"), Method = HttpMethods.Post, Path = path,
                ContentType = contentType, ContentLength = body.Length, Body = new MemoryStream(body.ToArray()),
            },
            Response = { Body = answer },
        };
        await _pipeline(context);
        await context.Response.CompleteAsync();
        return context.Response.StatusCode;
    }

    internal RequestDelegate Take(RequestDelegate pipeline) => _pipeline = pipeline;
}

/// <summary>Adds <see cref="WarmUp"/> to a service.</summary>
public static class WarmUpExtensions
{
    /// <summary>Adds the service; somebody has to call it.</summary>
    public static void AddWarmUp(this IServiceCollection services) => services.AddSingleton<WarmUp>();

    /// <summary>Stands before whatever is to be warm, <c>UseRouting</c> included.</summary>
    public static void UseWarmUp(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Use(app.Services.GetRequiredService<WarmUp>().Take);
    }
}

using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.Worker.Tests.Inference;

/// <summary>EC2's instance metadata service, version 2, as far as spot instances ask it: a token first, then the notice.</summary>
internal sealed class MetadataServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private MetadataServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPut("/latest/api/token", GiveTokenAsync);
        _app.MapGet("/latest/meta-data/spot/instance-action", AnswerAsync);
    }

    public Uri Address => new(_app.Urls.Single());

    /// <summary>The token that is valid; null: none is given.</summary>
    public string? Token { get; set; } = "AQAEA-token==";

    /// <summary>What is answered to who has a token; null: there is no notice.</summary>
    public string? Notice { get; set; }

    /// <summary>The status of the answer where it is neither 200 nor 404.</summary>
    public HttpStatusCode? Status { get; set; }

    /// <summary>Whether it takes a request for the notice and never answers.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Completes when somebody has asked for the notice.</summary>
    public Task Asked => _asked.Task;

    /// <summary>What was asked for, in order: <c>PUT 21600</c>, or <c>GET</c> and the answer's status.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public static async Task<MetadataServer> StartAsync()
    {
        var server = new MetadataServer();
        await server._app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task GiveTokenAsync(HttpContext context)
    {
        Requests.Enqueue($"PUT {context.Request.Headers["X-aws-ec2-metadata-token-ttl-seconds"]}");
        if (Token is null) context.Response.StatusCode = 403;
        else await context.Response.WriteAsync(Token);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        _asked.TrySetResult();
        if (IsSilent)
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return;
        }

        context.Response.StatusCode = context.Request.Headers["X-aws-ec2-metadata-token"] != Token ? 401 : (int?)Status ?? (Notice is null ? 404 : 200);
        if (Status is HttpStatusCode.Redirect) context.Response.Headers.Location = "/latest/api/other";
        Requests.Enqueue($"GET {context.Response.StatusCode}");
        if (Notice is not null) await context.Response.WriteAsync(Notice);
    }
}

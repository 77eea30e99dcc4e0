using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Hosting;

namespace Lab.ServiceDefaults.Requests;

/// <summary>
/// Says why to clients whose requests the server rejects before the service sees them: headers that are too many or too
/// large, an address that is too long, no HTTP at all. By itself the server sends the status and no body.
/// </summary>
/// <remarks>
/// There is no way to give the server a body for such an answer: this one goes before it, and closes the connection, so that
/// nobody reads the other. HTTP/1 only; HTTP/2 has errors of its own.
/// </remarks>
/// <param name="diagnostics">Where the server tells of them.</param>
internal sealed class RejectedRequests(DiagnosticListener diagnostics) : IHostedService, IObserver<KeyValuePair<string, object?>>
{
    /// <summary>How many bytes a request's headers may have together: those of a browser that keeps the cookies of every program on this machine, too.</summary>
    public const int MaxHeaderBytes = 64 * 1024;

    /// <summary>How many headers a request may have.</summary>
    public const int MaxHeaders = 200;

    // Kestrel's name for it.
    private const string BadRequest = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    private IDisposable? _subscription;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _subscription = diagnostics.Subscribe(this, name => name == BadRequest);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _subscription?.Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value is { Key: BadRequest, Value: IFeatureCollection features }
            && features.Get<IHttp2StreamIdFeature>() is null
            && features.Get<IHttpResponseFeature>() is { HasStarted: false }
            && features.Get<IBadRequestExceptionFeature>()?.Error is BadHttpRequestException error
            && features.Get<IConnectionTransportFeature>()?.Transport.Output is { } output) Write(output, AnswerTo(error));
    }

    /// <inheritdoc/>
    public void OnCompleted()
    {
    }

    /// <inheritdoc/>
    public void OnError(Exception error)
    {
    }

    private static void Write(PipeWriter output, byte[] answer)
    {
        try
        {
            output.Write(answer);
        }
        catch (InvalidOperationException)
        {
            // The connection has ended.
        }
    }

    private static byte[] AnswerTo(BadHttpRequestException error)
    {
        var title = ReasonPhrases.GetReasonPhrase(error.StatusCode);
        var body = Encoding.UTF8.GetBytes(ErrorShape.Problem.Example(new(error.StatusCode, title, DetailOf(error))).ToJsonString(WireJson.Relaxed.Options));
        var head = string.Create(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {error.StatusCode} {title}\r\nContent-Type: {ErrorShape.Problem.MediaType}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    private static string DetailOf(BadHttpRequestException error) => error.StatusCode switch
    {
        StatusCodes.Status431RequestHeaderFieldsTooLarge => string.Create(CultureInfo.InvariantCulture,
            $"The request's headers are more than {MaxHeaderBytes} bytes or {MaxHeaders} lines. Of a browser it is mostly the cookies: those of all programs on one host name come together. Delete the site's cookies, or call it by another name or address, such as 127.0.0.1 instead of localhost."),
        StatusCodes.Status414UriTooLong => "The address is longer than this server accepts. Send what is long in the body of a POST.",
        _ => error.Message,
    };
}

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using Lab.EndToEnd.Otlp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Tests.Telemetry;

/// <summary>One request of an exporter's.</summary>
/// <param name="Path">Where it was sent.</param>
/// <param name="IsGrpc">Whether it came as gRPC does, by HTTP/2.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="Message">The message in it.</param>
internal sealed record Export(string Path, bool IsGrpc, IReadOnlyDictionary<string, string> Headers, byte[] Message)
{
    public IReadOnlyList<Span> Spans => [.. ExportTraceServiceRequest.Parser.ParseFrom(Message).ResourceSpans.SelectMany(resource => resource.ScopeSpans).SelectMany(scope => scope.Spans)];

    public IReadOnlyDictionary<string, string> Resource =>
        ExportTraceServiceRequest.Parser.ParseFrom(Message).ResourceSpans.First().Resource.Attributes.ToDictionary(attribute => attribute.Key, attribute => attribute.Value.StringValue);
}

/// <summary>Takes all that comes over OTLP, at one address with HTTP and protobuf and at another with gRPC, whatever the path.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private const int GrpcPrefixBytes = 5;

    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app) => _app = app;

    public string Http => _app.Urls.First();

    public string Grpc => _app.Urls.Last();

    public ConcurrentQueue<Export> Exports { get; } = new();

    public IEnumerable<string> Paths => Exports.Select(export => export.Path).Distinct().Order(StringComparer.Ordinal);

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        var receiver = new OtlpReceiver(app);
        app.Run(receiver.TakeAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        Stream stream = context.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body;
        await stream.CopyToAsync(body, context.RequestAborted);
        var isGrpc = context.Request.Protocol == "HTTP/2" && context.Request.ContentType == "application/grpc";
        var message = body.ToArray();
        if (isGrpc)
        {
            Assert.Equal(message.Length - GrpcPrefixBytes, (int)BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(1)));
            message = message[GrpcPrefixBytes..];
        }

        Exports.Enqueue(new(context.Request.Path, isGrpc, context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), message));
        context.Response.ContentType = isGrpc ? "application/grpc" : "application/x-protobuf";
        if (!isGrpc) return;
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.WriteAsync(new byte[GrpcPrefixBytes], context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }
}

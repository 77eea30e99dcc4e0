using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lab.Worker.Checkpoints;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.Worker.Tests.ModelCommands;

/// <summary>
/// A server that speaks the hub's paths: metadata, files by commit, large files behind a redirect to another host; with
/// the faults that a test sets.
/// </summary>
internal sealed class HubServer : IAsyncDisposable
{
    public const string Model = "someone/tiny";
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly WebApplication _app;
    private long _weightBytesSent;

    private HubServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // Two ports are two hosts.
        builder.WebHost.UseUrls("http://127.0.0.1:0", "http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(AnswerAsync);
        using var model = TestModels.Write(TestModels.Small with { Dim = 64, Heads = 4, HiddenDim = 256, VocabSize = 60_000 }, type: StoredType.F16);
        foreach (var name in (string[])["config.json", "vocab.txt", "model.safetensors"]) Files[name] = File.ReadAllBytes(model.File(name));
    }

    /// <summary>The repository's files.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>What is sent in a file's place.</summary>
    public Dictionary<string, byte[]> Sent { get; } = [];

    /// <summary>What is sent in a file's place to whoever asks for a part of it.</summary>
    public Dictionary<string, byte[]> SentParts { get; } = [];

    /// <summary>After how many bytes of the weights the connection is cut, once for each.</summary>
    public ConcurrentQueue<int> Cuts { get; } = new();

    /// <summary>What is answered to whoever asks for the metadata.</summary>
    public string? Metadata { get; set; }

    /// <summary>What is answered to everything.</summary>
    public HttpStatusCode? Status { get; set; }

    /// <summary>What is answered, with the hub's own headers of errors, to whoever asks for a file.</summary>
    public (HttpStatusCode Status, string Name, string Value)? Refusal { get; set; }

    /// <summary>Whether parts of a file are sent as asked for.</summary>
    public bool HonoursRange { get; set; } = true;

    /// <summary>The requests: path, range and authorization.</summary>
    public ConcurrentQueue<(string Path, string Range, string Authorization)> Requests { get; } = new();

    /// <summary>How many bytes of weights were sent.</summary>
    public long WeightBytesSent => Interlocked.Read(ref _weightBytesSent);

    /// <summary>Where the server stops sending weights, and waits for the client to hang up.</summary>
    public int? Stall { get; set; }

    public string Endpoint => _app.Urls.First();

    public static async Task<HubServer> StartAsync()
    {
        var server = new HubServer();
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Requests.Enqueue((path, context.Request.Headers.Range.ToString(), context.Request.Headers.Authorization.ToString()));
        if (Status is { } status)
        {
            context.Response.StatusCode = (int)status;
            return;
        }

        if (path == $"/api/models/{Model}/revision/main")
        {
            Assert.Equal("?blobs=true", context.Request.QueryString.Value);
            await context.Response.WriteAsync(Metadata ?? Describe());
        }
        else if (Refusal is { } refusal)
        {
            context.Response.StatusCode = (int)refusal.Status;
            context.Response.Headers[refusal.Name] = refusal.Value;
        }
        else if (path.StartsWith($"/{Model}/resolve/{Commit}/", StringComparison.Ordinal) && IsWeights(path))
        {
            context.Response.Redirect($"{_app.Urls.Last()}/cdn/{path[(path.LastIndexOf('/') + 1)..]}");
        }
        else if (path.StartsWith($"/{Model}/resolve/{Commit}/", StringComparison.Ordinal) || path.StartsWith("/cdn/", StringComparison.Ordinal))
        {
            await SendAsync(context, path[(path.LastIndexOf('/') + 1)..]);
        }
        else
        {
            context.Response.StatusCode = 404;
        }
    }

    private async Task SendAsync(HttpContext context, string name)
    {
        var content = Sent.GetValueOrDefault(name, Files[name]);
        if (context.Request.Headers.Range.Count > 0) content = SentParts.GetValueOrDefault(name, content);
        int from = 0, end = content.Length;
        if (HonoursRange && context.Request.GetTypedHeaders().Range?.Ranges.Single() is { From: { } first } range)
        {
            from = (int)first;
            if (range.To is { } last) end = (int)last + 1;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{end - 1}/{content.Length}";
        }

        context.Response.ContentLength = end - from;
        if (IsWeights(name) && Stall is { } stall && stall < end)
        {
            await context.Response.Body.WriteAsync(content.AsMemory(from, stall - from));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        // A part that is asked for with its end is a header.
        if (IsWeights(name) && end == content.Length && Cuts.TryDequeue(out var cut))
        {
            await context.Response.Body.WriteAsync(content.AsMemory(from, cut - from));
            await context.Response.Body.FlushAsync();
            context.Abort();
            return;
        }

        if (IsWeights(name)) Interlocked.Add(ref _weightBytesSent, end - from);
        await context.Response.Body.WriteAsync(content.AsMemory(from, end - from));
    }

    private static bool IsWeights(string name) => name.EndsWith(".safetensors", StringComparison.Ordinal);

    private string Describe() => JsonSerializer.Serialize(new
    {
        sha = Commit,
        siblings = Files.Select(file => IsWeights(file.Key)
            ? (object)new { rfilename = file.Key, size = file.Value.Length, blobId = "x", lfs = new { sha256 = Convert.ToHexStringLower(SHA256.HashData(file.Value)), size = file.Value.Length, pointerSize = 132 } }
            : new { rfilename = file.Key, size = file.Value.Length, blobId = BlobId(file.Value) }),
    });

#pragma warning disable CA5350 // Git's name of a blob.
    public static string BlobId(byte[] content) =>
        Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
#pragma warning restore CA5350
}

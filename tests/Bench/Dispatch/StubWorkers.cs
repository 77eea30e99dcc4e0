using System.CommandLine;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.Bench.Dispatch;

/// <summary>Workers without a model, all in one process, that answer at once: what is measured is whoever stands before them.</summary>
internal static class StubWorkers
{
    private static readonly byte[] Answer =
        """{"input_text":"the quick brown fox jumps over the lazy dog","label":"POSITIVE","probabilities":[0.25,0.75],"inference_ms":0.01,"truncated":false}"""u8.ToArray();

    private static readonly byte[] BatchStart = """{"inference_ms":0.01,"results":["""u8.ToArray();
    private static readonly byte[] BatchItemStart = [.. """{"label":"POSITIVE","probabilities":[0.25,0.75],"truncated":false,"token":"""u8, (byte)'"'];
    private static readonly byte[] BatchItemEnd = "\"}"u8.ToArray();
    private static readonly byte[] BatchEnd = "]}"u8.ToArray();

    private static readonly byte[] Info =
        """{"model_id":"stub","model_sha":"0","model_dtype":"float32","model_type":{"classifier":{"id2label":{"0":"NEGATIVE","1":"POSITIVE"},"label2id":{"NEGATIVE":0,"POSITIVE":1}}},"max_concurrent_requests":1,"max_input_length":512,"max_batch_tokens":16384,"max_client_batch_size":32,"auto_truncate":false,"tokenization_workers":1,"version":"0"}"""u8.ToArray();

    public static Command CreateCommand()
    {
        var port = new Option<int>("--port") { Required = true };
        var count = new Option<int>("--count") { DefaultValueFactory = _ => 8 };
        var command = new Command("stub-workers", "Runs stub workers on successive ports.") { port, count };
        command.Hidden = true;
        command.SetAction((parse, cancellation) => RunAsync(parse.GetValue(port), parse.GetValue(count), cancellation));
        return command;
    }

    private static async Task RunAsync(int port, int count, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            for (var i = 0; i < count; i++) kestrel.ListenLocalhost(port + i);
        });
        var app = builder.Build();
        app.Run(HandleAsync);
        await app.StartAsync(cancellation);
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync(CancellationToken.None);
    }

    private static async Task HandleAsync(HttpContext context)
    {
        var response = context.Response;
        response.ContentType = "application/json";
        switch (context.Request.Path.Value)
        {
            case "/run_batch":
                var tokens = await ReadTokensAsync(context);
                response.ContentLength = BatchStart.Length + tokens.Sum(token => BatchItemStart.Length + token.Length + BatchItemEnd.Length + 1) - 1 + BatchEnd.Length;
                var writer = response.BodyWriter;
                Write(BatchStart);
                for (var i = 0; i < tokens.Count; i++)
                {
                    if (i > 0) Write(","u8);
                    Write(BatchItemStart);
                    Write(Encoding.UTF8.GetBytes(tokens[i]));
                    Write(BatchItemEnd);
                }

                Write(BatchEnd);
                await writer.FlushAsync(context.RequestAborted);
                break;

                void Write(ReadOnlySpan<byte> bytes)
                {
                    bytes.CopyTo(writer.GetSpan(bytes.Length));
                    writer.Advance(bytes.Length);
                }

            case "/info":
                response.ContentLength = Info.Length;
                await response.Body.WriteAsync(Info, context.RequestAborted);
                break;
            default:
                response.ContentLength = Answer.Length;
                await response.Body.WriteAsync(Answer, context.RequestAborted);
                break;
        }
    }

    // A token is hexadecimal: its length is that of its bytes.
    private static async Task<List<string>> ReadTokensAsync(HttpContext context)
    {
        using var document = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        return [.. document.RootElement.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()!)];
    }
}

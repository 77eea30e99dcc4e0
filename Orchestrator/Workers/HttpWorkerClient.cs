using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Workers;

/// <summary>
/// Speaks to workers over HTTP. But for connections that were closed while they rested it never retries: the dispatcher alone
/// knows whether and where a request may go again.
/// </summary>
internal sealed class HttpWorkerClient(IOptions<OrchestratorOptions> options, TimeProvider time) : IWorkerClient, IDisposable
{
    // A text comes back once, escaped at worst sixfold.
    private const int MaxAnswerBytesPerCharacter = 6;

    // Whatever else a worker likes to tell.
    private const int MaxAnswerOverhead = 64 * 1024;
    private const int MaxResultOverhead = 8 * 1024;

    // A probability and a logit, with all digits and much space.
    private const int MaxBytesPerLabel = 64;

    // Where no model is known; who has more tells its model.
    private const int UnknownLabels = 1000;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly IdleConnections _idle = new();
    private readonly WorkerProbe _probe = new(options.Value.ProbeTimeout, time);
    private readonly WorkerPresence _presence = new(time);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<WorkerReply> SendAsync(DispatchCall call)
    {
        using var activity = DispatchTracing.Start(call, time);
        var reply = await TrySendAsync(call, activity);
        DispatchTracing.End(activity, reply);
        return reply;
    }

    public Task<ProbeResult> ProbeAsync(Uri address, bool readModel, CancellationToken cancellationToken) =>
        _probe.AskAsync(address, readModel, cancellationToken);

    public Task<PresenceReport?> AskPresenceAsync(Uri address, string id, CancellationToken cancellationToken) =>
        _presence.AskAsync(address, id, cancellationToken);

    public void Dispose()
    {
        _idle.Dispose();
        _probe.Dispose();
        _presence.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<WorkerReply> TrySendAsync(DispatchCall call, Activity? activity)
    {
        WorkerConnection? connection = null;
        try
        {
            int status;
            ReadOnlyMemory<byte> body;
            while (true)
            {
                connection = _idle.Take(call.Address);
                var isReused = connection is not null;
                connection ??= await OpenAsync(call);
                Write(connection, call, activity?.Context ?? call.Entries[0].Trace);
                try
                {
                    (status, body) = await connection.ExchangeAsync(MaxAnswerBytes(call), call.Aborted);
                    break;
                }
                catch (IOException) when (isReused && !connection.HasAnswered)
                {
                    // A server may close a connection that rests, and has then just done so: nobody's fault. A worker only
                    // computes, so that asking it twice changes nothing, and a new connection shows how it is.
                    connection.Dispose();
                    connection = null;
                }
            }

            DispatchTracing.Answered(activity, status);
            var reply = Read(call, status, body.Span, connection.Head);
            if (!connection.IsReusable) return reply;
            // Before the reply is told: it brings the worker's next dispatch.
            _idle.Return(connection);
            connection = null;
            return reply;
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or InvalidDataException or TimeoutException or ObjectDisposedException)
        {
            return new WorkerReply.Failed(e.InnerException is SocketException inner ? inner.Message : e.Message);
        }
        catch (OperationCanceledException)
        {
            return new WorkerReply.Failed("the call was given up");
        }
        finally
        {
            connection?.Dispose();
        }
    }

    private Task<WorkerConnection> OpenAsync(DispatchCall call)
    {
        _idle.Sweep();
        return WorkerConnection.OpenAsync(call.Address, ConnectTimeout, time, call.Aborted);
    }

    private static void Write(WorkerConnection connection, DispatchCall call, ActivityContext trace)
    {
        if (call.IsPlain)
        {
            // Plain text is the worker's cheapest form: nothing is escaped, so that the limit on bodies holds for it as well.
            connection.WriteText("/run_model", trace, call.Entries[0].Utf8.Span);
            return;
        }

        connection.WriteJson("/run_batch", trace, JsonSerializer.SerializeToUtf8Bytes(
            new(
                [.. call.Entries.Select(entry => entry.Text)],
                call.Entries.Any(entry => entry.Options is not null) ? [.. call.Entries.Select(entry => entry.Options)] : null,
                [.. call.Entries.Select(TokenOf)]), WireJson.Relaxed.BatchRequest));
    }

    /// <summary>
    /// The longest body that an answer can have. It follows from what is asked: what is much longer is read by the one
    /// thread that hears of all workers, and grows tenfold where it becomes objects.
    /// </summary>
    internal static long MaxAnswerBytes(DispatchCall call)
    {
        var labels = ((call.Output.Labels.Count > 0 ? call.Output.Labels.Count : UnknownLabels) * MaxBytesPerLabel) + call.Output.LabelsBytes;
        var repeated = call.IsPlain ? (long)call.Entries[0].Utf8.Length * MaxAnswerBytesPerCharacter : 0;
        return MaxAnswerOverhead + repeated + ((long)call.Entries.Count * (MaxResultOverhead + labels));
    }

    /// <summary>Reads a worker's answer to a call.</summary>
    internal static WorkerReply Read(DispatchCall call, int status, ReadOnlySpan<byte> body, ResponseHead head = default) => status switch
    {
        StatusCodes.Status200OK when head.IsWanted && ReadAnswers(call, body) is WorkerReply.Answered answered => answered with { IsWanted = true },
        StatusCodes.Status200OK => ReadAnswers(call, body),
        StatusCodes.Status429TooManyRequests => new WorkerReply.Busy(head.BusyMs > 0 ? PresenceReport.BusyTime(head.BusyMs) : null),
        StatusCodes.Status400BadRequest or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status422UnprocessableEntity when call.Entries.Count == 1 =>
            new WorkerReply.Answered([new(null, ReadDetail(body) ?? $"The worker answered {status}.")], InferenceMs: 0),
        _ => new WorkerReply.Failed($"it answered {status}"),
    };

    private static WorkerReply ReadAnswers(DispatchCall call, ReadOnlySpan<byte> body)
    {
        body = ByteOrderMark.Skip(body);
        try
        {
            if (call.IsPlain)
            {
                return AnswerReader.Read(body, call.Entries[0].Utf8.Span, call.Output, out var wrong) is { } answer
                    ? new WorkerReply.Answered([new(answer, null)], answer.InferenceMs)
                    : new WorkerReply.Failed(wrong!);
            }

            var batch = JsonSerializer.Deserialize(body, WireJson.Relaxed.BatchAnswer);
            if (batch?.Results is not { } results || results.Count != call.Entries.Count) return new WorkerReply.Failed("its answer has not one result for each text");
            if (!AnswerCheck.IsTime(batch.InferenceMs)) return new WorkerReply.Failed("its answer has a time that is none");
            return results.Zip(call.Entries, (result, entry) => FaultOf(result, entry, call.Output)).FirstOrDefault(found => found is not null) is { } fault
                ? new WorkerReply.Failed(fault)
                : new WorkerReply.Answered([.. results.Zip(call.Entries, (result, entry) => ReplyOf(result, batch.InferenceMs, call.Output))], batch.InferenceMs);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return new WorkerReply.Failed($"its answer cannot be read: {e.Message}");
        }
    }

    // Known to this orchestrator and this worker alone, and another one for each text.
    private static string TokenOf(QueueEntry entry) => entry.Id.ToString("N");

    private static string? FaultOf(BatchResult? result, QueueEntry entry, ModelOutput model) =>
        result is null ? "its answer has not one result for each text"
        : result.Token != TokenOf(entry) ? "its answer is not to the text that was asked about"
        : result.Error is not null ? null
        : entry.Options is { RawScores: true } && result.Logits is null ? "its answer has no logits, which were asked for"
        : AnswerCheck.Fault(result.Label, result.Probabilities, result.Labels, result.Logits, model);

    private static TextReply ReplyOf(BatchResult result, double inferenceMs, ModelOutput model)
    {
        if (result.Error is { } error) return new(null, error);
        // Of any other model they are something that nobody has checked.
        var several = model.Problem is ProblemType.MultiLabel ? result.Labels : null;
        return new(new("", result.Label!, result.Probabilities!, inferenceMs, result.Truncated ?? false, several), null, result.Logits);
    }

    // The second is the reader's word for what is not Unicode.
    private static bool IsUnreadable(Exception e) => e is JsonException or InvalidOperationException;

    private static string? ReadDetail(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize<ProblemDetails>(body, JsonSerializerOptions.Web)?.Detail;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return null;
        }
    }
}

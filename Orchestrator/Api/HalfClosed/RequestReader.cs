using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;

namespace Lab.Orchestrator.Api.HalfClosed;

/// <summary>
/// Tells the server that the client has closed its side only when the server has seen all that came before: told earlier,
/// it takes a request that is whole for one that was cut off.
/// </summary>
/// <param name="inner">What the client sends.</param>
/// <param name="client">Is told of a reset.</param>
internal sealed class RequestReader(PipeReader inner, ClientConnection client) : PipeReader
{
    private ReadOnlySequence<byte> _read;
    private long _seen;
    private bool _isReading;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        // A body that was cut off is not always given back, and is then in the way of the next request, for which the server looks.
        if (_isReading) throw new ConnectionAbortedException("The client has closed its side within a body.");
        var read = inner.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? new(Shown(read.Result)) : AwaitAsync(read);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        var hasRead = inner.TryRead(out result);
        if (hasRead) result = Shown(result);
        return hasRead;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // What is left of it, where the server waits for more.
        _seen = examined.Equals(_read.End) ? _read.Slice(consumed).Length : -1;
        (_read, _isReading) = (default, false);
        inner.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> read)
    {
        try
        {
            return Shown(await read);
        }
        catch (ConnectionResetException)
        {
            // Before the request hears of it: the server would go on reading its body, and log that it cannot.
            client.Leave();
            throw;
        }
    }

    private ReadResult Shown(ReadResult result)
    {
        (_read, _isReading) = (result.Buffer, true);
        return result.IsCompleted && result.Buffer.Length != _seen && !result.Buffer.IsEmpty ? new(result.Buffer, result.IsCanceled, isCompleted: false) : result;
    }
}

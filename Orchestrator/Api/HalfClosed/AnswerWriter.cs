using System.IO.Pipelines;

namespace Lab.Orchestrator.Api.HalfClosed;

/// <summary>Writes what the server answers, and says when an answer begins.</summary>
/// <param name="inner">What the client gets.</param>
/// <param name="client">Is told.</param>
internal sealed class AnswerWriter(PipeWriter inner, ClientConnection client) : PipeWriter
{
    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => inner.UnflushedBytes;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        client.BeginToAnswer();
        return inner.GetMemory(sizeHint);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        client.BeginToAnswer();
        return inner.GetSpan(sizeHint);
    }

    /// <inheritdoc/>
    public override void Advance(int bytes) => inner.Advance(bytes);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (!client.PendingInterim.IsCompleted) return FlushAfterAsync(client.PendingInterim, cancellationToken);
        var flush = inner.FlushAsync(cancellationToken);
        client.OnFlushed();
        return flush;
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    // A pipe is flushed once at a time.
    private async ValueTask<FlushResult> FlushAfterAsync(Task interim, CancellationToken cancellationToken)
    {
        await interim.WaitAsync(cancellationToken);
        return await FlushAsync(cancellationToken);
    }
}

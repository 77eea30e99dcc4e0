using System.Collections.Concurrent;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// Messages handled one at a time and in order, without a thread of its own: whoever posts to an idle mailbox handles
/// what is in it, and whoever posts to a busy one goes on at once. No hop to another thread, and no lock.
/// </summary>
/// <param name="handle">Handles one message; never called twice at a time.</param>
/// <param name="settle">Called at the end of each turn, still alone.</param>
/// <param name="flush">Called after the turn, when others may handle messages already, with what <paramref name="settle"/> gave.</param>
internal sealed class Mailbox<TMessage, TOutput>(Action<TMessage> handle, Func<TOutput?> settle, Action<TOutput> flush)
    where TOutput : class
{
    /// <summary>After so many messages what came of them must not wait for the next.</summary>
    private const int MaxTurn = 64;

    private readonly ConcurrentQueue<TMessage> _messages = new();
    private int _pending;

    public void Post(TMessage message)
    {
        _messages.Enqueue(message);
        if (Interlocked.Increment(ref _pending) == 1) Drain();
    }

    private void Drain()
    {
        while (true)
        {
            var handled = 0;
            while (handled < MaxTurn && _messages.TryDequeue(out var message))
            {
                handle(message);
                handled++;
            }

            var output = settle();
            if (Interlocked.Add(ref _pending, -handled) == 0)
            {
                if (output is not null) flush(output);
                return;
            }

            // More has come meanwhile: it is ours to handle, and the output somebody else's to carry out.
            if (output is not null) ThreadPool.UnsafeQueueUserWorkItem(flush, output, preferLocal: true);
        }
    }
}

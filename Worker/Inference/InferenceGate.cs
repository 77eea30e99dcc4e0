using System.Collections.Concurrent;

namespace Lab.Worker.Inference;

/// <summary>
/// Lets one computation at a time through, on a thread of its own: a second caller is told so at once and never waits.
/// A computation that has begun is finished, even if nobody waits for it any longer; only then is the gate free.
/// </summary>
internal sealed class InferenceGate : IDisposable
{
    private readonly BlockingCollection<Action> _work = new(boundedCapacity: 1);
    private readonly Thread _thread;
    private int _taken;

    /// <summary>Starts the thread.</summary>
    public InferenceGate()
    {
        // A pool thread would do, but on one core the pool has one thread, and /alive must answer during a computation.
        _thread = new Thread(Run) { IsBackground = true, Name = "inference" };
        _thread.Start();
    }

    /// <summary>Whether a computation is under way.</summary>
    public bool IsTaken => Volatile.Read(ref _taken) != 0;

    /// <summary>Starts a computation, or says that another one is under way.</summary>
    /// <param name="compute">The computation.</param>
    /// <returns>Its result to come, or null if the gate is taken. The gate is free again before the result is there.</returns>
    public Task<T>? TryRun<T>(Func<T> compute)
    {
        if (Interlocked.CompareExchange(ref _taken, 1, 0) != 0) return null;
        // Continuations must not run on the inference thread: they write HTTP answers.
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Spans of the computation belong to the request's trace, which travels in the execution context.
        var context = ExecutionContext.Capture();
        _work.Add(() =>
        {
            if (context is null) Compute(null);
            else ExecutionContext.Run(context, Compute, null);
        });
        return result.Task;

        void Compute(object? state)
        {
            try
            {
                var value = compute();
                Free();
                result.SetResult(value);
            }
#pragma warning disable CA1031 // Whatever goes wrong is the caller's to see, and the thread must live on.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Free();
                result.SetException(e);
            }
        }
    }

    /// <summary>Waits for the computation under way, if any, and ends the thread.</summary>
    public void Dispose()
    {
        if (_work.IsAddingCompleted) return;
        _work.CompleteAdding();
        _thread.Join();
    }

    private void Free() => Volatile.Write(ref _taken, 0);

    private void Run()
    {
        foreach (var computation in _work.GetConsumingEnumerable()) computation();
    }
}

using System.Collections.Concurrent;

namespace Lab.Worker.Inference;

/// <summary>
/// Lets one computation at a time through, on a thread of its own. Others wait in order of arrival where there is room
/// for them (by default only for one of each further orchestrator), or are told at once. A computation that has begun is finished, even if nobody
/// waits for it any longer; only then is the gate free. One that nobody waits for any longer is not begun.
/// </summary>
internal sealed class InferenceGate : IDisposable
{
    /// <summary>Where it would take longer, by what is known of those before it, no further orchestrator's dispatch waits, in milliseconds.</summary>
    public const int LongestWaitMs = 1000;

    private readonly BlockingCollection<Action> _work = [];
    private readonly int _queueLimit;
    private readonly Func<int> _others;
    private readonly Thread _thread;
    private readonly IReadOnlyList<int> _cores;
    private readonly Departure? _departure;
    private readonly TimeProvider _time;
    private readonly BusyTime _busy;
    private long _metAt = long.MinValue;
    private int _inside;

    /// <summary>Starts the thread.</summary>
    /// <param name="queueLimit">How many computations may wait.</param>
    /// <param name="cores">The cores to which the thread is tied; none leave it free. They must be allowed to this process.</param>
    /// <param name="time">The clock; the system's by default.</param>
    /// <param name="departure">Closes the gate once the machine is about to go; null: never.</param>
    /// <param name="others">How many orchestrators there are besides one, for whose dispatches there is room beyond the limit; null: none.</param>
    public InferenceGate(int queueLimit = 0, IReadOnlyList<int>? cores = null, TimeProvider? time = null, Departure? departure = null, Func<int>? others = null)
    {
        _queueLimit = queueLimit;
        _others = others ?? (() => 0);
        _time = time ?? TimeProvider.System;
        _busy = new(_time);
        _cores = cores ?? [];
        _departure = departure;
        // A pool thread would do, but on one core the pool has one thread, and /alive must answer during a computation.
        _thread = new Thread(Run) { IsBackground = true, Name = "inference" };
        _thread.Start();
    }

    /// <summary>Whether nothing is let through any more, for the machine is about to go.</summary>
    public bool IsClosed => _departure?.Notice is not null;

    /// <summary>Whether a computation is under way.</summary>
    public bool IsTaken => Volatile.Read(ref _inside) != 0;

    /// <summary>How many computations wait for the one under way.</summary>
    public int Waiting => Math.Max(0, Volatile.Read(ref _inside) - 1);

    /// <summary>In about how many milliseconds the computation under way will be over, 1 to 2,000; also where none is.</summary>
    public int BusyMilliseconds => _busy.Milliseconds();

    /// <summary>For how many milliseconds nothing has been computed; null while something is.</summary>
    public double? IdleMilliseconds => IsTaken ? null : _busy.IdleMilliseconds();

    /// <summary>Whether somebody has come while another was computed, and had to wait or was refused.</summary>
    /// <param name="timestamp">Since when, as the clock gave it.</param>
    public bool HasMetSince(long timestamp) => Volatile.Read(ref _metAt) >= timestamp;

    /// <summary>Starts a computation or lets it wait, or says that there is no room.</summary>
    /// <param name="compute">The computation.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the result any longer.</param>
    /// <param name="tokens">About how many tokens it computes, from which follows how long others are told that it takes; 0 where that is not known.</param>
    /// <returns>Its result to come, or null if the gate is taken or closed. The gate is free again before the result is there.</returns>
    public Task<T>? TryRun<T>(Func<T> compute, CancellationToken cancellationToken, int tokens = 0)
    {
        if (IsClosed) return null;
        var inside = Interlocked.Increment(ref _inside);
        if (inside > 1)
        {
            Volatile.Write(ref _metAt, _time.GetTimestamp());
            if (inside > 1 + _queueLimit && !MayWait(inside))
            {
                Free();
                return null;
            }
        }

        // Continuations must not run on the inference thread: they write HTTP answers.
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Spans of the computation belong to the request's trace, which travels in the execution context.
        var context = ExecutionContext.Capture();
        _work.Add(() =>
        {
            if (context is null) Compute(null);
            else ExecutionContext.Run(context, Compute, null);
        }, CancellationToken.None);
        return result.Task;

        void Compute(object? state)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                Free();
                result.SetCanceled(cancellationToken);
                return;
            }

            _busy.Begin(tokens);
            try
            {
                var value = compute();
                _busy.End(tokens);
                Free();
                result.SetResult(value);
            }
#pragma warning disable CA1031 // Whatever goes wrong is the caller's to see, and the thread must live on.
            catch (Exception e)
#pragma warning restore CA1031
            {
                // How long it takes to fail says nothing of others.
                _busy.End(tokens: 0);
                Free();
                result.SetException(e);
            }
        }
    }

    /// <summary>Waits for the computations under way and waiting, if any, and ends the thread.</summary>
    public void Dispose()
    {
        if (_work.IsAddingCompleted) return;
        _work.CompleteAdding();
        _thread.Join();
    }

    // Others' dispatches have their own time limits, in which those before them are computed as well.
    private bool MayWait(int inside) =>
        inside <= 1 + _queueLimit + _others() && _busy.Milliseconds() + ((inside - 2) * _busy.LastMilliseconds) <= LongestWaitMs;

    private void Free() => Interlocked.Decrement(ref _inside);

    private void Run()
    {
        if (_cores.Count > 0) CpuSet.Pin(_cores);
        foreach (var computation in _work.GetConsumingEnumerable()) computation();
    }
}

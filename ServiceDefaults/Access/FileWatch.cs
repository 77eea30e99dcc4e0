namespace Lab.ServiceDefaults.Access;

/// <summary>
/// Follows files that may change while a service runs: reads them twice a second and tells when they hold something else.
/// Neither notices nor dates are relied on: where files are mounted as Kubernetes and Docker do it, a link on the way to
/// them is renamed, of which there is no notice, and file systems of other machines send none at all. A change counts when
/// it was read twice the same, so that a file that is being written, or is gone for a moment, is not taken for another;
/// where nothing comes to rest, every two seconds.
/// </summary>
/// <typeparam name="T">What is read; compared by its own equality.</typeparam>
public sealed class FileWatch<T> : IDisposable
    where T : class, IEquatable<T>
{
    private const int MaxUnsettled = 4;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly Func<T> _read;
    private readonly Action<T> _changed;
    private readonly ITimer _timer;
    private T _current;
    private T? _next;
    private int _unsettled;
    private int _reading;

    /// <summary>Begins to watch.</summary>
    /// <param name="current">What was read last.</param>
    /// <param name="read">Reads the files; throws nothing.</param>
    /// <param name="changed">Takes what they hold now, on a thread of the pool; throws nothing.</param>
    /// <param name="time">The clock.</param>
    public FileWatch(T current, Func<T> read, Action<T> changed, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_current, _read, _changed) = (current, read, changed);
        _timer = time.CreateTimer(_ => Poll(), state: null, Interval, Interval);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Poll()
    {
        // A slow file system must not make readers pile up.
        if (Interlocked.Exchange(ref _reading, 1) == 1) return;
        try
        {
            var read = _read();
            if (read.Equals(_current))
            {
                (_next, _unsettled) = (null, 0);
            }
            // One file that changes all the time must not keep a removed key in force.
            else if (!read.Equals(_next) && ++_unsettled < MaxUnsettled)
            {
                _next = read;
            }
            else
            {
                (_current, _next, _unsettled) = (read, null, 0);
                _changed(read);
            }
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }
}

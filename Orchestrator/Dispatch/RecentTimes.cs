namespace Lab.Orchestrator.Dispatch;

/// <summary>The last few times of something, for their median.</summary>
internal sealed class RecentTimes
{
    private const int Kept = 31;
    private readonly float[] _times = new float[Kept];
    private int _count;

    public void Add(double milliseconds)
    {
        _times[_count % Kept] = (float)milliseconds;
        // Counts on from there, so that it never overflows and still says that all places are taken.
        _count = _count == (2 * Kept) - 1 ? Kept : _count + 1;
    }

    public float[] ToArray() => _times[..Math.Min(_count, Kept)];
}

using Lab.ServiceDefaults.Contracts;

namespace Lab.Worker.Inference;

/// <summary>
/// For how long the computation under way will go on: by its size, and by how long those before it took for theirs.
/// <see cref="Begin"/> and <see cref="End"/> are called by one thread, the rest by any.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class BusyTime(TimeProvider time)
{
    // How much the last computation counts among those before it.
    private const double Weight = 0.2;

    // One that takes longer than was thought goes on for about this share of what it has taken.
    private const double Overdue = 0.25;

    // Word pieces of English have some four letters, and a text has two or three special tokens besides.
    private const int LettersPerToken = 4;
    private const int TokensBeside = 3;

    private long _startedAt;
    private long _endedAt = time.GetTimestamp();
    private double _expectedMs;
    private double _lastMs;
    private double _msPerToken;

    /// <summary>About how many tokens texts have together.</summary>
    /// <param name="inputs">The texts.</param>
    /// <param name="maxTokens">The most that the model reads of each.</param>
    public static int TokensOf(IReadOnlyList<TextInput> inputs, int maxTokens)
    {
        var tokens = 0;
        for (var i = 0; i < inputs.Count; i++)
            tokens += Math.Min(((inputs[i].Text.Length + (inputs[i].Pair?.Length ?? 0)) / LettersPerToken) + TokensBeside, maxTokens);
        return tokens;
    }

    /// <summary>A computation begins.</summary>
    /// <param name="tokens">About how many tokens its texts have together; 0 where that is not known.</param>
    public void Begin(int tokens)
    {
        Volatile.Write(ref _expectedMs, tokens * Volatile.Read(ref _msPerToken));
        // A clock may stand at 0, which here means that nothing is computed.
        Volatile.Write(ref _startedAt, time.GetTimestamp() + 1);
    }

    /// <summary>The computation is over.</summary>
    /// <param name="tokens">As at its beginning.</param>
    public void End(int tokens)
    {
        var ms = time.GetElapsedTime(Volatile.Read(ref _startedAt) - 1).TotalMilliseconds;
        Volatile.Write(ref _lastMs, ms);
        Volatile.Write(ref _endedAt, time.GetTimestamp());
        Volatile.Write(ref _startedAt, 0);
        if (tokens <= 0) return;
        var before = Volatile.Read(ref _msPerToken);
        Volatile.Write(ref _msPerToken, before == 0 ? ms / tokens : before + (Weight * ((ms / tokens) - before)));
    }

    /// <summary>How many milliseconds the last computation took; 0 before the first.</summary>
    public double LastMilliseconds => Volatile.Read(ref _lastMs);

    /// <summary>For how many milliseconds nothing has been computed; <c>null</c> while something is.</summary>
    public double? IdleMilliseconds() =>
        Volatile.Read(ref _startedAt) == 0 ? Math.Floor(time.GetElapsedTime(Volatile.Read(ref _endedAt)).TotalMilliseconds) : null;

    /// <summary>Milliseconds until the computation under way is about over, 1 to <see cref="DispatchHeaders.MaxBusyMs"/>; also where none is.</summary>
    public int Milliseconds()
    {
        var started = Volatile.Read(ref _startedAt);
        if (started == 0) return 1;
        var taken = time.GetElapsedTime(started - 1).TotalMilliseconds;
        return (int)Math.Clamp(Math.Ceiling(Math.Max(Volatile.Read(ref _expectedMs) - taken, taken * Overdue)), 1, DispatchHeaders.MaxBusyMs);
    }
}

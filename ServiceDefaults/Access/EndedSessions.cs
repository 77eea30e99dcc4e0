using System.Globalization;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// Sessions whose users have signed out, remembered for as long as a cookie of theirs could last; in a file, so that a
/// restart brings none back.
/// </summary>
/// <param name="path">The file; <c>null</c> for none.</param>
/// <param name="lifetime">How long a cookie lasts at most.</param>
/// <param name="time">The clock.</param>
internal sealed class EndedSessions(string? path, TimeSpan lifetime, TimeProvider time)
{
    // A key's holder could sign in and out for ever: what ended first is forgotten first.
    private const int MaxSessions = 10_000;

    private readonly Lock _changing = new();
    private readonly Dictionary<string, DateTimeOffset> _ended = Read(path, time.GetUtcNow());

    /// <summary>Whether a session has ended.</summary>
    public bool Contains(string id)
    {
        lock (_changing) return _ended.ContainsKey(id);
    }

    /// <summary>Ends a session.</summary>
    public void Add(string id)
    {
        lock (_changing)
        {
            var now = time.GetUtcNow();
            foreach (var (old, _) in _ended.Where(session => session.Value <= now).ToList()) _ended.Remove(old);
            if (_ended.Count >= MaxSessions) _ended.Remove(_ended.MinBy(session => session.Value).Key);
            _ended[id] = now + lifetime;
            Write();
        }
    }

    private static Dictionary<string, DateTimeOffset> Read(string? path, DateTimeOffset now)
    {
        var ended = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        try
        {
            foreach (var line in path is null || !File.Exists(path) ? [] : File.ReadLines(path).Take(MaxSessions))
            {
                if (line.Split(' ') is [var id, var seconds] && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var until)
                    && until <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() && DateTimeOffset.FromUnixTimeSeconds(until) > now)
                    ended[id] = DateTimeOffset.FromUnixTimeSeconds(until);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As where there is no file: only what ends from now on is known.
        }

        return ended;
    }

    private void Write()
    {
        if (path is null) return;
        try
        {
            // As a whole and under another name first: a file broken off would let somebody in again.
            var next = $"{path}.next";
            File.WriteAllLines(next, _ended.Select(session => string.Create(CultureInfo.InvariantCulture, $"{session.Key} {session.Value.ToUnixTimeSeconds()}")));
            File.Move(next, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Remembered until the next start.
        }
    }
}

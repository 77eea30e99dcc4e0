using Npgsql;

namespace Lab.Orchestrator.Jobs.Postgres;

/// <summary>
/// The one session that lasts: it hears what the other orchestrators notify, and holds a lock that says that this one
/// is alive – the server drops it with the connection, so that nobody need wait for a dead one's leases to run out.
/// </summary>
internal sealed class PostgresListener(PostgresDatabase database, string holder, Action<JobSignal> raise, TimeProvider time, ILogger logger)
    : IAsyncDisposable
{
    public const string Channel = "lab_jobs";

    /// <summary>The key of a holder's lock.</summary>
    public const string LockKey = "hashtextextended($1, 7)";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    // Clock reading, 0 while there is no session.
    private long _since;

    /// <summary>How long the session has stood; <c>null</c> while there is none.</summary>
    public TimeSpan? Age => Volatile.Read(ref _since) is var since and not 0 ? time.GetElapsedTime(since) : null;

    /// <summary>Starts to listen, and goes on trying where that fails.</summary>
    /// <returns>Ends when it listens or has failed for the first time.</returns>
    public Task StartAsync()
    {
        _loop = RunAsync(_ended.Token);
        return _tried.Task;
    }

    /// <summary>What other orchestrators are told, in one line.</summary>
    public static string Payload(string holder, JobSignalKind kind, string ids = "") => $"{holder} {kind} {ids}".TrimEnd();

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _loop;
        _ended.Dispose();
    }

    private async Task RunAsync(CancellationToken ended)
    {
        await Task.Yield();
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(ended);
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever it is: without the session no job is taken, and nobody would know why.
            catch (Exception e)
#pragma warning restore CA1031
            {
                JobLog.NotListening(logger, e.Message);
            }
            finally
            {
                Volatile.Write(ref _since, 0);
                _tried.TrySetResult();
            }

            await Task.Delay(Pause, time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenAsync(CancellationToken ended)
    {
        await using var connection = new NpgsqlConnection(database.ListenerString);
        await connection.OpenAsync(ended);
        connection.Notification += (_, notice) => Hear(notice.Payload);
        await connection.Command($"SELECT pg_advisory_lock({LockKey})", holder).RunAsync(ended);
        await connection.Command($"LISTEN {Channel}").RunAsync(ended);
        Volatile.Write(ref _since, time.GetTimestamp());
        _tried.TrySetResult();
        // Whatever was notified before is heard of no more.
        raise(JobSignal.Queued);
        while (true)
        {
            // A server that has vanished says nothing; asking it finds out.
            if (!await connection.WaitAsync(Patience, ended)) await connection.Command("SELECT 1").RunAsync(ended);
        }
    }

    private void Hear(string payload)
    {
        var words = payload.Split(' ');
        // Its own news it has raised already, sooner.
        if (words.Length < 2 || words[0] == holder || !Enum.TryParse(words[1], out JobSignalKind kind)) return;
        raise(new(kind, [.. words.Skip(2).Where(word => Guid.TryParse(word, out _)).Select(Guid.Parse)]));
    }
}

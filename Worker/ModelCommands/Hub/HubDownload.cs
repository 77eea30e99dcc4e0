using System.Net;

namespace Lab.Worker.ModelCommands.Hub;

/// <summary>
/// Fetches one file: what an earlier attempt has left is kept and the rest asked for, a connection that is cut or
/// stands still is made anew, and nothing counts that is not of the promised size and hash.
/// </summary>
/// <param name="client">The hub.</param>
/// <param name="id">The model.</param>
/// <param name="commit">The commit.</param>
/// <param name="time">The clock of waits.</param>
internal sealed class HubDownload(HubClient client, string id, string commit, TimeProvider time)
{
    private const string PartSuffix = ".part";
    private const int MaxAttempts = 6;

    private static readonly TimeSpan InitialDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Fetches a file, unless it is there.</summary>
    /// <param name="file">Which.</param>
    /// <param name="path">Where it goes.</param>
    /// <param name="progress">Is told how many bytes are there.</param>
    /// <param name="cancellationToken">Ends it; what is there is kept for the next time.</param>
    /// <exception cref="HubException">It cannot be had, or is not what the hub's metadata say.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task FetchAsync(HubFile file, string path, Action<long> progress, CancellationToken cancellationToken)
    {
        if (await file.IsAsync(path, cancellationToken))
        {
            progress(file.Bytes);
            return;
        }

        var part = path + PartSuffix;
        for (var attempt = 1; ; attempt++)
        {
            var before = Length(part);
            try
            {
                await FetchRestAsync(file, part, progress, cancellationToken);
                break;
            }
            catch (Exception e) when (e is HttpRequestException or TimeoutException)
            {
                // Whoever makes headway may go on for ever.
                if (Length(part) > before) attempt = 0;
                if (attempt == MaxAttempts) throw new HubException($"{file.Name}: {e.Message}; {Length(part)} of {file.Bytes} bytes are there, and the same command goes on from here");
                await Task.Delay(InitialDelay * Math.Pow(2, attempt), time, cancellationToken);
            }
        }

        if (!await file.IsAsync(part, cancellationToken))
        {
            File.Delete(part);
            throw new HubException($"{file.Name}: what the hub sent is not of the hash that its metadata promise");
        }

        File.Move(part, path, overwrite: true);
    }

    private async Task FetchRestAsync(HubFile file, string part, Action<long> progress, CancellationToken cancellationToken)
    {
        using var target = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1 << 20);
        // Longer than the file can be: not of this file.
        if (target.Length > file.Bytes) target.SetLength(0);
        var there = target.Length;
        progress(there);
        if (there == file.Bytes) return;
        using var response = await client.OpenAsync(id, commit, file.Name, there, cancellationToken);
        var isRest = response.StatusCode is HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == there;
        if (response.StatusCode is HttpStatusCode.PartialContent && !isRest) throw new HubException($"{file.Name}: the hub sends another part than the one asked for");
        if (!isRest)
        {
            target.SetLength(0);
            there = 0;
        }

        target.Position = there;
        using var source = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[1 << 16];
        while (await ReadAsync(source, buffer, cancellationToken) is > 0 and var read)
        {
            there += read;
            if (there > file.Bytes) throw new HubException($"{file.Name}: the hub sends more than the {file.Bytes} bytes that its metadata promise");
            await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            progress(there);
        }

        if (there < file.Bytes) throw new HttpRequestException("the connection ended early");
    }

    private static async Task<int> ReadAsync(Stream source, byte[] buffer, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StallTimeout);
        try
        {
            return await source.ReadAsync(buffer, timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing has come for {StallTimeout.TotalSeconds:F0} s");
        }
        catch (IOException e)
        {
            // Told apart from a disk that cannot be written.
            throw new HttpRequestException("the connection was cut", e);
        }
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } info ? info.Length : 0;
}

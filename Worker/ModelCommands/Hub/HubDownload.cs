using System.Buffers.Binary;
using System.Net;
using Lab.Worker.Checkpoints;

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
        await RetryAsync(file, () => FetchRestAsync(file, part, progress, cancellationToken), () => Length(part), cancellationToken);
        if (!await file.IsAsync(part, cancellationToken))
        {
            File.Delete(part);
            throw new HubException($"{file.Name}: what the hub sent is not of the hash that its metadata promise");
        }

        File.Move(part, path, overwrite: true);
    }

    /// <summary>
    /// Fetches only the header of a safetensors file, and makes a file of the promised size with a hole in the numbers'
    /// place: whatever reads headers can read it, and it takes no room on disks whose file system knows of holes.
    /// </summary>
    /// <param name="file">Which.</param>
    /// <param name="path">Where it goes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HubException">It cannot be had.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task FetchHeaderAsync(HubFile file, string path, CancellationToken cancellationToken)
    {
        var length = await FetchPartAsync(file, 0, (int)Math.Min(SafetensorsFile.LengthBytes, file.Bytes), cancellationToken);
        byte[] header = [];
        // What is out of bounds is for the file's reader to refuse.
        if (length.Length == SafetensorsFile.LengthBytes && BinaryPrimitives.ReadUInt64LittleEndian(length) is > 0 and <= SafetensorsFile.MaxHeaderBytes and var claimed
            && (long)claimed <= file.Bytes - length.Length)
            header = await FetchPartAsync(file, length.Length, (int)claimed, cancellationToken);
        using var target = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        await target.WriteAsync(length, cancellationToken);
        await target.WriteAsync(header, cancellationToken);
        target.SetLength(file.Bytes);
    }

    private async Task<byte[]> FetchPartAsync(HubFile file, int from, int count, CancellationToken cancellationToken)
    {
        var part = new byte[count];
        if (count > 0) await RetryAsync(file, FetchAsync, () => 0, cancellationToken);
        return part;

        async Task FetchAsync()
        {
            using var response = await client.OpenAsync(id, commit, file.Name, new(from, from + count - 1), cancellationToken);
            var isPart = IsFrom(response, file, from);
            using var source = await response.Content.ReadAsStreamAsync(cancellationToken);
            // From a server that sends the whole file all the same no more is read than this.
            if (!isPart) await FillAsync(source, new byte[from], cancellationToken);
            await FillAsync(source, part, cancellationToken);
        }
    }

    private async Task RetryAsync(HubFile file, Func<Task> act, Func<long> there, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = there();
            try
            {
                await act();
                return;
            }
            catch (Exception e) when (e is HttpRequestException or TimeoutException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                // Whoever makes headway may go on for ever.
                if (there() > before) attempt = 0;
                if (attempt == MaxAttempts) throw new HubException($"{file.Name}: {e.Message}; {there()} of {file.Bytes} bytes are there, and the same command goes on from here");
                await Task.Delay(InitialDelay * Math.Pow(2, attempt), time, cancellationToken);
            }
        }
    }

    private async Task FetchRestAsync(HubFile file, string part, Action<long> progress, CancellationToken cancellationToken)
    {
        var there = Length(part);
        // Longer than the file can be: not of this file.
        if (there > file.Bytes) there = 0;
        progress(there);
        if (there == file.Bytes && there > 0) return;
        using var response = await client.OpenAsync(id, commit, file.Name, there > 0 ? new(there, null) : null, cancellationToken);
        if (!IsFrom(response, file, there)) there = 0;
        // Only now: what the hub refuses leaves no file.
        using var target = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1 << 20);
        target.SetLength(there);
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

    private static bool IsFrom(HttpResponseMessage response, HubFile file, long from)
    {
        if (response.StatusCode is not HttpStatusCode.PartialContent) return false;
        return response.Content.Headers.ContentRange?.From == from
            ? true
            : throw new HubException($"{file.Name}: the hub sends another part than the one asked for");
    }

    private static async Task FillAsync(Stream source, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (buffer.Length > 0)
        {
            var read = await ReadAsync(source, buffer, cancellationToken);
            if (read == 0) throw new HttpRequestException("the connection ended early");
            buffer = buffer[read..];
        }
    }

    private static async Task<int> ReadAsync(Stream source, Memory<byte> buffer, CancellationToken cancellationToken)
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

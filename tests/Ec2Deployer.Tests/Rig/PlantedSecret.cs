using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Looks for a secret where it must not be: in the arguments and variables of any process while it watches, and in files.</summary>
internal sealed class PlantedSecret : IAsyncDisposable
{
    private const int YoungRounds = 50;
    private const int OldRounds = 50;

    private readonly byte[] _secret;
    private readonly CancellationTokenSource _enough = new();
    private readonly Task _watch;
    private readonly ConcurrentDictionary<string, bool> _seen = [];

    public PlantedSecret(string secret)
    {
        Text = secret;
        _secret = Encoding.UTF8.GetBytes(secret);
        _watch = Task.Run(WatchAsync);
    }

    /// <summary>The secret.</summary>
    public string Text { get; }

    /// <summary>Where it was: <c>/proc/1/cmdline</c> of a process that had it among its arguments, <c>/proc/1/environ</c> among its variables.</summary>
    public IReadOnlyCollection<string> Processes => [.. _seen.Keys];

    /// <summary>Files below a directory that hold it. Only files: who opens one of Docker's pipes waits for ever.</summary>
    public async Task<IReadOnlyList<string>> FilesBelowAsync(string directory)
    {
        using var find = Process.Start(new ProcessStartInfo("find", [directory, "-type", "f", "-print0"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        // What it says is of files that are gone by now.
        var complaints = find.StandardError.ReadToEndAsync();
        var files = await find.StandardOutput.ReadToEndAsync();
        await find.WaitForExitAsync();
        await complaints;
        return [.. files.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(Holds)];
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _watch;
        _enough.Dispose();
    }

    // A process is looked at in each round while it is young: it may execute another program. Later that is rare, and a
    // hundred old ones fifty times a second would take a third of a core from what is tried.
    private async Task WatchAsync()
    {
        var buffer = new byte[1 << 16];
        var firstSeen = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var round = 0L; !_enough.IsCancellationRequested; round++)
        {
            var present = Directory.EnumerateDirectories("/proc").Where(directory => char.IsAsciiDigit(directory[^1])).ToList();
            foreach (var process in present)
            {
                firstSeen.TryAdd(process, round);
                if (round - firstSeen[process] > YoungRounds && (round + firstSeen[process]) % OldRounds != 0) continue;
                foreach (var file in (string[])["cmdline", "environ"])
                    if (Holds(Path.Combine(process, file), buffer)) _seen[$"{process}/{file}"] = true;
            }

            foreach (var gone in firstSeen.Keys.Except(present).ToList()) firstSeen.Remove(gone);
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private bool Holds(string file) => Holds(file, new byte[1 << 20]);

    // Bare reads, for they are made beside what is tried.
    private bool Holds(string file, byte[] buffer)
    {
        try
        {
            using var opened = File.OpenHandle(file, share: FileShare.ReadWrite | FileShare.Delete);
            var kept = 0;
            for (long offset = 0; RandomAccess.Read(opened, buffer.AsSpan(kept), offset) is > 0 and var read; offset += read)
            {
                var filled = buffer.AsSpan(0, kept + read);
                if (filled.IndexOf(_secret) >= 0) return true;
                kept = Math.Min(_secret.Length - 1, filled.Length);
                filled[^kept..].CopyTo(buffer);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended, or was deleted, meanwhile.
        }

        return false;
    }
}

using Microsoft.AspNetCore.Http;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>
/// The memory that bodies may take while they are read, all together: a limit for each alone lets thousands of clients
/// that send slowly take as many times as much.
/// </summary>
/// <param name="maxBytes">How many bytes, at least 1.</param>
public sealed class BodyMemory(long maxBytes)
{
    // What every request takes anyway is not counted.
    private const long Free = 16 * 1024;

    private long _held;

    /// <summary>503: other clients' bodies take all of it just now.</summary>
    public static Refusal Refusal { get; } = new(StatusCodes.Status503ServiceUnavailable, "Too much at once",
        "The bodies that are being read take all the memory there is for them.", RetryAfter: 1);

    /// <summary>How many bytes are held now.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Begins with one body; nothing is held yet.</summary>
    public Lease Rent() => new(this);

    /// <summary>What one body holds until this is disposed of.</summary>
    public sealed class Lease : IDisposable
    {
        private readonly BodyMemory _memory;
        private long _bytes;

        internal Lease(BodyMemory memory) => _memory = memory;

        /// <summary>Holds so many bytes in all, or as many as it holds already.</summary>
        /// <returns>Whether there is room for them.</returns>
        public bool TryHold(long bytes)
        {
            var more = bytes - Free - _bytes;
            if (more <= 0) return true;
            if (Interlocked.Add(ref _memory._held, more) > _memory.Limit)
            {
                Interlocked.Add(ref _memory._held, -more);
                return false;
            }

            _bytes += more;
            return true;
        }

        /// <summary>How large a buffer for a body may be made at once: what it is said to have, which is held by then, or 0 where nothing is said.</summary>
        internal int BytesAhead(HttpRequest request) => (int)Math.Min(request.ContentLength ?? 0, Math.Min(_bytes + Free, Array.MaxLength));

        /// <inheritdoc/>
        public void Dispose()
        {
            Interlocked.Add(ref _memory._held, -_bytes);
            _bytes = 0;
        }
    }

    private long Limit => maxBytes;
}

using System.Globalization;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Tells people once that EC2 does not answer: what is asked, why as far as that is known, and until when it is tried.</summary>
/// <param name="pace">After how long it is told, and how long is tried.</param>
/// <param name="time">The clock.</param>
/// <param name="note">Is told; null: nobody is.</param>
internal sealed class Ec2Silence(Ec2Pace pace, TimeProvider time, Action<string>? note)
{
    private bool _told;

    /// <summary>Watches one call, until it is disposed.</summary>
    /// <typeparam name="T">What EC2 answers it with: <c>DescribeInstancesResponse</c>.</typeparam>
    public Call Watch<T>() => new(this, typeof(T).Name is var name && name.EndsWith("Response", StringComparison.Ordinal) ? name[..^"Response".Length] : name);

    /// <summary>A call under way, with its repetitions.</summary>
    internal sealed class Call : IDisposable
    {
        private readonly Ec2Silence _silence;
        private readonly string _action;
        private readonly DateTimeOffset _until;
        private readonly long _began;
        private readonly ITimer? _timer;
        private readonly Lock _lock = new();
        private Exception? _last;
        private bool _over;

        public Call(Ec2Silence silence, string action)
        {
            (_silence, _action) = (silence, action);
            _began = silence.Time.GetTimestamp();
            _until = silence.Time.GetUtcNow() + silence.Pace.Faults;
            if (silence.Note is not null) _timer = silence.Time.CreateTimer(_ => Tell(), null, silence.Pace.Silence, Timeout.InfiniteTimeSpan);
        }

        /// <summary>A try has failed, and another follows.</summary>
        public void Failed(Exception why)
        {
            lock (_lock) _last = why;
        }

        /// <summary>EC2 has answered.</summary>
        public void Answered()
        {
            lock (_lock)
            {
                _over = true;
                if (!_silence._told) return;
                _silence._told = false;
                _silence.Note?.Invoke(string.Create(CultureInfo.InvariantCulture, $"EC2 answers again, after {_silence.Time.GetElapsedTime(_began).TotalSeconds:F0} s."));
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            lock (_lock) _over = true;
            _timer?.Dispose();
        }

        private void Tell()
        {
            lock (_lock)
            {
                // Told once until it answers again: a deployer that asks ten things has one trouble, not ten.
                if (_over || _silence._told) return;
                _silence._told = true;
                var why = _last is null ? "no answer yet" : Ec2Errors.OneLine(_last.GetBaseException().Message);
                _silence.Note!(string.Create(CultureInfo.InvariantCulture,
                    $"EC2 has not answered {_action} for {_silence.Pace.Silence.TotalSeconds:0.###} s ({why}): it is tried again until {_until:HH:mm:ss} UTC. Ctrl-C gives up."));
            }
        }
    }

    private Ec2Pace Pace => pace;

    private TimeProvider Time => time;

    private Action<string>? Note => note;
}

namespace Lab.AppHost.LocalHost.Otlp;

/// <summary>What an instrument's numbers are.</summary>
internal enum InstrumentKind
{
    /// <summary>A value at a moment.</summary>
    Gauge,

    /// <summary>A count that only grows; its chart shows what comes in a second.</summary>
    Counter,

    /// <summary>Many values; the chart shows their mean.</summary>
    Histogram,
}

/// <summary>What identifies an instrument.</summary>
internal sealed record InstrumentName(string Service, string Scope, string Name);

/// <summary>A measurement as it came.</summary>
/// <param name="Count">The counter's or histogram's count, else 0.</param>
/// <param name="Value">The gauge's value or the histogram's sum.</param>
/// <param name="IsDelta">Whether it tells what came since the last one, rather than since the beginning.</param>
internal sealed record Measurement(
    InstrumentName Instrument, string Description, string Unit, InstrumentKind Kind, string Attributes, long At, double Count, double Value, bool IsDelta);

/// <summary>A point of a chart.</summary>
internal readonly record struct Point(long At, double Value);

/// <summary>The values of one set of attributes.</summary>
/// <param name="Attributes">The attributes, or nothing.</param>
/// <param name="Total">A counter's or histogram's count, since its process began.</param>
/// <param name="Last">The newest of the points.</param>
/// <param name="Points">The chart, the oldest first.</param>
internal sealed record SeriesView(string Attributes, double Total, double? Last, IReadOnlyList<Point> Points);

/// <summary>An instrument at one moment.</summary>
internal sealed record InstrumentView(InstrumentName Name, string Description, string Unit, InstrumentKind Kind, IReadOnlyList<SeriesView> Series);

/// <summary>The last minutes of every instrument. Beyond the bounds new series are ignored: names and attributes ought to be few.</summary>
internal sealed class MetricStore
{
    private const int MostSeries = 3000;
    private const int PointsOfASeries = 300;

    private readonly Lock _gate = new();
    private readonly Dictionary<InstrumentName, Instrument> _instruments = [];
    private int _series;

    /// <summary>Grows with everything that is added.</summary>
    public long Version { get; private set; }

    public void Add(IEnumerable<Measurement> measurements)
    {
        lock (_gate)
        {
            foreach (var measurement in measurements)
            {
                Version++;
                if (!_instruments.TryGetValue(measurement.Instrument, out var instrument))
                {
                    if (_series == MostSeries)
                        continue;
                    _instruments[measurement.Instrument] = instrument = new(measurement.Description, measurement.Unit, measurement.Kind);
                }

                if (!instrument.Series.TryGetValue(measurement.Attributes, out var series))
                {
                    if (_series == MostSeries)
                        continue;
                    _series++;
                    instrument.Series[measurement.Attributes] = series = new();
                }

                series.Add(measurement);
            }
        }
    }

    /// <summary>The services that have sent any.</summary>
    public IReadOnlyList<string> Services()
    {
        lock (_gate)
            return [.. _instruments.Keys.Select(name => name.Service).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>The instruments of a service whose name or scope contains the text.</summary>
    public IReadOnlyList<InstrumentView> Of(string service, string text)
    {
        lock (_gate)
            return [.. _instruments
                .Where(one => one.Key.Service == service && $"{one.Key.Scope} {one.Key.Name}".Contains(text, StringComparison.OrdinalIgnoreCase))
                .OrderBy(one => one.Key.Scope.StartsWith("Lab.", StringComparison.Ordinal) ? 0 : 1)
                .ThenBy(one => one.Key.Scope, StringComparer.Ordinal).ThenBy(one => one.Key.Name, StringComparer.Ordinal)
                .Select(one => new InstrumentView(one.Key, one.Value.Description, one.Value.Unit, one.Value.Kind,
                    [.. one.Value.Series.Select(series => series.Value.View(series.Key))]))];
    }

    private sealed record Instrument(string Description, string Unit, InstrumentKind Kind)
    {
        public SortedDictionary<string, Series> Series { get; } = new(StringComparer.Ordinal);
    }

    private sealed class Series
    {
        private readonly Queue<Point> _points = new();
        private (long At, double Count, double Value)? _last;

        public void Add(Measurement next)
        {
            var (at, count, value) = (next.At, next.Count, next.Value);
            if (next.IsDelta && _last is { } before)
                (count, value) = (count + before.Count, next.Kind is InstrumentKind.Histogram ? value + before.Value : value);
            // A process that was started again counts from nothing.
            var (since, counted, summed) = _last is { } last && last.Count <= count ? last : (at, 0, 0);
            var point = next.Kind switch
            {
                InstrumentKind.Gauge => value,
                InstrumentKind.Counter => at > since ? (count - counted) / ((at - since) / 1e9) : double.NaN,
                _ => count > counted ? (value - summed) / (count - counted) : double.NaN,
            };
            _last = (at, count, value);
            if (double.IsNaN(point))
                return;
            if (_points.Count == PointsOfASeries)
                _points.Dequeue();
            _points.Enqueue(new(at, point));
        }

        public SeriesView View(string attributes)
            => new(attributes, _last?.Count ?? 0, _points.Count > 0 ? _points.Last().Value : null, [.. _points]);
    }
}

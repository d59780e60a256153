using System.Diagnostics.Metrics;
using System.Text.Json;

namespace Apm.ServiceDefaults.Health;

/// <summary>
/// The last value of every instrument of the meters <c>Apm.*</c>, by attributes: counters and up-down counters as sums, gauges as they are, histograms as
/// count, sum, min and max. Measurements come from any thread.
/// </summary>
public sealed class MeterSnapshot : IDisposable
{
    private const string MeterPrefix = "Apm.";

    /// <summary>Attribute sets of one instrument; further ones are added up under the attribute <c>overflow</c>, so that nothing a sender names can fill the memory.</summary>
    private const int MaxSets = 200;

    private static readonly string OverflowKey = "overflow=true";

    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Series> _instruments = new(StringComparer.Ordinal);

    public MeterSnapshot()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith(MeterPrefix, StringComparison.Ordinal))
            {
                lock (_lock)
                {
                    if (!_instruments.TryGetValue(instrument.Name, out var series))
                    {
                        _instruments[instrument.Name] = series = new Series(instrument);
                    }
                    listener.EnableMeasurementEvents(instrument, series);
                }
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, attributes, state) => Add((Series)state!, value, attributes));
        _listener.SetMeasurementEventCallback<int>((_, value, attributes, state) => Add((Series)state!, value, attributes));
        _listener.SetMeasurementEventCallback<double>((_, value, attributes, state) => Add((Series)state!, value, attributes));
        _listener.Start();
    }

    /// <summary><c>{"metrics":[{name, kind, unit, description, points:[{attributes:{}, value}|{attributes, count, sum, min, max}]}]}</c></summary>
    public void Write(Utf8JsonWriter json)
    {
        _listener.RecordObservableInstruments();
        lock (_lock)
        {
            json.WriteStartObject();
            json.WriteStartArray("metrics");
            foreach (var (name, series) in _instruments)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("kind", series.Kind);
                json.WriteString("unit", series.Unit);
                json.WriteString("description", series.Description);
                json.WriteStartArray("points");
                foreach (var point in series.Points.Values)
                {
                    WritePoint(json, series, point);
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    public void Dispose() => _listener.Dispose();

    private static void WritePoint(Utf8JsonWriter json, Series series, Point point)
    {
        json.WriteStartObject();
        json.WriteStartObject("attributes");
        foreach (var (key, value) in point.Attributes)
        {
            json.WriteString(key, value);
        }
        json.WriteEndObject();
        if (series.IsHistogram)
        {
            json.WriteNumber("count", point.Count);
            json.WriteNumber("sum", point.Sum);
            json.WriteNumber("min", point.Min);
            json.WriteNumber("max", point.Max);
        }
        else
        {
            json.WriteNumber("value", series.IsLast ? point.Last : point.Sum);
        }
        json.WriteEndObject();
    }

    private void Add(Series series, double value, ReadOnlySpan<KeyValuePair<string, object?>> attributes)
    {
        if (!double.IsFinite(value))
        {
            return;
        }
        var hash = new HashCode();
        foreach (var (key, attribute) in attributes)
        {
            hash.Add(key);
            hash.Add(attribute);
        }
        lock (_lock)
        {
            var point = Find(series, hash.ToHashCode(), attributes);
            point.Count++;
            point.Sum += value;
            point.Last = value;
            point.Min = Math.Min(point.Min, value);
            point.Max = Math.Max(point.Max, value);
        }
    }

    /// <summary>Fast path: the set was seen before, nothing is allocated. Two sets with one hash share a point: 32 bits over some hundred sets make that a curiosity.</summary>
    private static Point Find(Series series, int hash, ReadOnlySpan<KeyValuePair<string, object?>> attributes)
    {
        if (series.Points.TryGetValue(hash, out var point))
        {
            return point;
        }
        if (series.Points.Count >= MaxSets)
        {
            if (series.Points.TryGetValue(OverflowKey.GetHashCode(StringComparison.Ordinal), out var overflow))
            {
                return overflow;
            }
            return series.Points[OverflowKey.GetHashCode(StringComparison.Ordinal)] = new Point([new("overflow", "true")]);
        }
        var texts = new KeyValuePair<string, string>[attributes.Length];
        for (var i = 0; i < attributes.Length; i++)
        {
            texts[i] = new(attributes[i].Key, Convert.ToString(attributes[i].Value, System.Globalization.CultureInfo.InvariantCulture) ?? "");
        }
        return series.Points[hash] = new Point(texts);
    }

    private sealed class Series(Instrument instrument)
    {
        public string Kind { get; } = instrument.GetType().Name.Split('`')[0] switch
        {
            "Counter" or "ObservableCounter" => "counter",
            "UpDownCounter" or "ObservableUpDownCounter" => "updowncounter",
            "Histogram" => "histogram",
            _ => "gauge",
        };

        public string Unit { get; } = instrument.Unit ?? "";

        public string Description { get; } = instrument.Description ?? "";

        public bool IsHistogram => Kind == "histogram";

        /// <summary>An observation is the value itself, not a change of it.</summary>
        public bool IsLast { get; } = instrument.IsObservable || instrument.GetType().Name.StartsWith("Gauge", StringComparison.Ordinal);

        public Dictionary<int, Point> Points { get; } = [];
    }

    private sealed class Point(KeyValuePair<string, string>[] attributes)
    {
        public KeyValuePair<string, string>[] Attributes { get; } = attributes;

        public long Count { get; set; }

        public double Sum { get; set; }

        public double Last { get; set; }

        public double Min { get; set; } = double.MaxValue;

        public double Max { get; set; } = double.MinValue;
    }
}

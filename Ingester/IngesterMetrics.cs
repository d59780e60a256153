using System.Diagnostics.Metrics;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Ingester;

/// <summary>The Ingester's own counters. Any thread.</summary>
public sealed class IngesterMetrics : IDisposable
{
    public const string MeterName = "Apm.Ingester";

    private readonly Meter _meter;
    private readonly Counter<long> _rows;
    private readonly Counter<long> _skippedItems;
    private readonly Counter<long> _skippedBodies;
    private readonly Counter<long> _repairedStrings;
    private readonly Counter<long> _retries;
    private readonly Histogram<double> _appendSeconds;

    public IngesterMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(MeterName);
        _rows = _meter.CreateCounter<long>("apm.ingester.row.decoded", "{row}", "Spans and log records decoded.");
        _skippedItems = _meter.CreateCounter<long>("apm.ingester.item.skipped", "{item}", "Items that the check had rejected before.");
        _skippedBodies = _meter.CreateCounter<long>("apm.ingester.body.skipped", "{body}", "Bodies that could not be decoded, by reason.");
        _repairedStrings = _meter.CreateCounter<long>("apm.ingester.string.repaired", "{string}", "Strings that were not UTF-8.");
        _retries = _meter.CreateCounter<long>("apm.ingester.append.retried", "{append}", "Appends that storage refused, to be tried again.");
        _appendSeconds = _meter.CreateHistogram<double>("apm.ingester.append.duration", "s", "Time that storage took to make a batch visible.");
    }

    public void Decoded(Signal signal, DecodeResult result)
    {
        var tag = Tag(signal);
        _rows.Add(result.Rows, tag);
        if (result.Skipped > 0)
        {
            _skippedItems.Add(result.Skipped, tag);
        }
        if (result.RepairedStrings > 0)
        {
            _repairedStrings.Add(result.RepairedStrings, tag);
        }
    }

    /// <param name="reason">malformed, too_large, unknown_signal, unknown_encoding or failed.</param>
    public void SkippedBody(Signal signal, string reason) => _skippedBodies.Add(1, Tag(signal), new KeyValuePair<string, object?>("reason", reason));

    public void Retried(Signal signal) => _retries.Add(1, Tag(signal));

    public void Appended(Signal signal, TimeSpan duration) => _appendSeconds.Record(duration.TotalSeconds, Tag(signal));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(Signal signal) => new("signal", signal switch
    {
        Signal.Traces => "traces",
        Signal.Logs => "logs",
        _ => "unknown",
    });
}

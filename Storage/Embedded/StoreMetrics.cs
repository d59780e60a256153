using System.Diagnostics;
using System.Diagnostics.Metrics;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>What the embedded store says of itself: meter <c>Apm.Storage</c>.</summary>
internal sealed class StoreMetrics : IDisposable
{
    public const string MeterName = "Apm.Storage";

    private readonly Meter _meter;
    private readonly Counter<long> _appended;
    private readonly Counter<long> _repeated;
    private readonly Counter<long> _sealed;
    private readonly Counter<long> _sealFailures;
    private readonly Histogram<double> _sealDuration;
    private readonly Counter<long> _corruptParts;
    private readonly Counter<long> _mergedParts;
    private readonly Counter<long> _mergeFailures;
    private readonly Histogram<double> _mergeDuration;
    private readonly Counter<long> _droppedRows;
    private readonly Counter<long> _droppedParts;

    /// <param name="factory">Null: a meter of its own.</param>
    public StoreMetrics(IMeterFactory? factory, Func<EngineState> state)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _appended = _meter.CreateCounter<long>("apm.storage.rows.appended", "{row}", "Rows made visible.");
        _repeated = _meter.CreateCounter<long>("apm.storage.rows.repeated", "{row}", "Spans that were appended again, and dropped as they are stored.");
        _sealed = _meter.CreateCounter<long>("apm.storage.rows.sealed", "{row}", "Rows moved from memory to parts.");
        _sealFailures = _meter.CreateCounter<long>("apm.storage.seal.failures", "{seal}", "Seals that failed and are tried again; the rows stay in memory.");
        _sealDuration = _meter.CreateHistogram<double>("apm.storage.seal.duration", "s", "Time to seal one head.");
        _corruptParts = _meter.CreateCounter<long>("apm.storage.parts.corrupt", "{part}", "Damaged parts set aside, and other damage met by queries.");
        _mergedParts = _meter.CreateCounter<long>("apm.storage.parts.merged", "{part}", "Parts joined into larger ones.");
        _mergeFailures = _meter.CreateCounter<long>("apm.storage.merge.failures", "{merge}", "Merges that failed and are tried again; the parts stay as they are.");
        _mergeDuration = _meter.CreateHistogram<double>("apm.storage.merge.duration", "s", "Time to merge some parts into one.");
        _droppedRows = _meter.CreateCounter<long>("apm.storage.rows.dropped", "{row}", "Rows dropped by retention or the disk budget.");
        _droppedParts = _meter.CreateCounter<long>("apm.storage.parts.dropped", "{part}", "Whole parts dropped by retention or the disk budget.");
        _meter.CreateObservableCounter("apm.storage.bytes.sealed", () => state().SealedBytes, "By", "Bytes of parts written from memory, over the store's life.");
        _meter.CreateObservableCounter("apm.storage.bytes.merged", () => state().MergedBytes, "By", "Bytes of parts written from parts, over the store's life: (sealed + merged) / sealed is the write amplification.");
        _meter.CreateObservableGauge("apm.storage.head.rows", () => state().HeadRows, "{row}", "Rows in memory only, of both signals.");
        _meter.CreateObservableGauge("apm.storage.head.size", () => state().HeadBytes, "By", "Memory of those rows.");
        _meter.CreateObservableGauge("apm.storage.head.waiting", () => (long)state().WaitingHeads, "{head}", "Full heads that wait to be sealed.");
        _meter.CreateObservableGauge("apm.storage.parts", () => (long)state().Parts, "{part}", "Parts on disk.");
        _meter.CreateObservableGauge("apm.storage.parts.size", () => state().PartBytes, "By", "Bytes of the parts on disk.");
        _meter.CreateObservableCounter(
            "apm.storage.edges.left_out", () => state().EdgesLeftOut, "{trace}", "Traces over several parts, and links, that a seal did not join, as there were too many.");
        _meter.CreateObservableGauge("apm.storage.cache.size", () => state().CacheBytes, "By", "Decoded directories, dictionaries, blooms and index pages in memory.");
    }

    public void Appended(Signal signal, int rows) => _appended.Add(rows, new KeyValuePair<string, object?>("signal", Name(signal)));

    public void Repeated(int rows)
    {
        if (rows > 0)
        {
            _repeated.Add(rows);
        }
    }

    public void Sealed(Signal signal, long rows) => _sealed.Add(rows, new KeyValuePair<string, object?>("signal", Name(signal)));

    public void SealTook(TimeSpan time) => _sealDuration.Record(time.TotalSeconds);

    public void SealFailed() => _sealFailures.Add(1);

    public void Merged(int parts, TimeSpan time)
    {
        _mergedParts.Add(parts);
        _mergeDuration.Record(time.TotalSeconds);
    }

    public void MergeFailed() => _mergeFailures.Add(1);

    /// <param name="reason">As <see cref="DropStatus"/> has it.</param>
    public void Dropped(Signal signal, string reason, int parts, long rows)
    {
        var tags = new TagList { { "signal", Name(signal) }, { "reason", reason } };
        _droppedRows.Add(rows, tags);
        _droppedParts.Add(parts, tags);
    }

    public void FoundCorrupt() => _corruptParts.Add(1);

    public void Dispose() => _meter.Dispose();

    private static string Name(Signal signal) => signal == Signal.Traces ? "traces" : "logs";
}

/// <summary>The engine at an instant. Any thread.</summary>
internal readonly record struct EngineState(long HeadRows, long HeadBytes, int WaitingHeads, int Parts, long PartBytes, long SealedBytes, long MergedBytes, long CacheBytes, long EdgesLeftOut);

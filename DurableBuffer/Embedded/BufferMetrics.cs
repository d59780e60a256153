using System.Diagnostics.Metrics;

namespace Apm.DurableBuffer.Embedded;

/// <summary>The buffer's own metrics, meter <c>Apm.DurableBuffer</c>.</summary>
internal sealed class BufferMetrics : IDisposable
{
    public const string MeterName = "Apm.DurableBuffer";

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly Counter<long> _appendedBatches;
    private readonly Counter<long> _appendedBytes;
    private readonly Counter<long> _refusedBatches;
    private readonly Counter<long> _heldBatches;
    private readonly Histogram<double> _syncSeconds;
    private readonly Counter<long> _recycledSegments;
    private readonly Counter<long> _corruptRecords;

    public BufferMetrics(IMeterFactory? factory, Func<BufferStatus> status)
    {
        _ownsMeter = factory is null;
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _appendedBatches = _meter.CreateCounter<long>("apm.buffer.batch.appended", "{batch}", "Batches made durable.");
        _appendedBytes = _meter.CreateCounter<long>("apm.buffer.append.size", "By", "Bytes of records made durable.");
        _refusedBatches = _meter.CreateCounter<long>("apm.buffer.batch.refused", "{batch}", "Batches refused, because a bound was hit or the disk failed.");
        _heldBatches = _meter.CreateCounter<long>("apm.buffer.batch.held", "{batch}", "Batches acknowledged late, because the reader was far behind.");
        _syncSeconds = _meter.CreateHistogram<double>("apm.buffer.sync.duration", "s", "Time of one sync, which every batch written before it shares; its count is the number of syncs.");
        _recycledSegments = _meter.CreateCounter<long>("apm.buffer.segment.recycled", "{segment}", "Segments emptied because storage holds all of their batches.");
        _corruptRecords = _meter.CreateCounter<long>("apm.buffer.record.corrupt", "{record}", "Records skipped because their bytes are damaged.");
        _meter.CreateObservableGauge("apm.buffer.uncommitted.size", () => status().UncommittedBytes, "By", "Bytes on disk that storage does not hold yet.");
        _meter.CreateObservableGauge("apm.buffer.lag", () => Lag(status()), "{batch}", "Batches appended and not read yet.");
    }

    public void Appended(long batches, long bytes)
    {
        _appendedBatches.Add(batches);
        _appendedBytes.Add(bytes);
    }

    public void Refused(long batches) => _refusedBatches.Add(batches);

    public void HeldBack() => _heldBatches.Add(1);

    public void Synced(TimeSpan duration) => _syncSeconds.Record(duration.TotalSeconds);

    public void Recycled(long segments) => _recycledSegments.Add(segments);

    public void Corrupt(long records)
    {
        if (records > 0)
        {
            _corruptRecords.Add(records);
        }
    }

    public void Dispose()
    {
        if (_ownsMeter)
        {
            _meter.Dispose();
        }
    }

    private static long Lag(BufferStatus status) => status.AppendedPosition - Math.Max(status.ReadPosition, status.CommittedPosition);
}

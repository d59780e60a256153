using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Apm.DurableBuffer.Embedded;

/// <summary>
/// The reader's side. While <see cref="_inMemory"/>, every durable batch that was not read is in <see cref="_queue"/>. When the queue is full the rest stays on the disk only:
/// the queue is then a prefix of what is to be read, <see cref="_cursor"/> is the first position behind it, and once the reader has read from the disk all that is durable, memory takes over again.
/// </summary>
public sealed partial class EmbeddedBuffer
{
    private readonly Queue<Batch> _queue = new();
    private long _queueBytes;
    private bool _inMemory;
    private long _cursor;

    /// <summary>The last position given to a batch, also before a jump ahead; the next segment's header says it.</summary>
    private long _handedOutPosition;

    private TaskCompletionSource? _readerWaits;

    /// <summary>The segment being read outside the gate: it must not be recycled meanwhile.</summary>
    private Segment? _reading;

    private (Segment Segment, SegmentReader Reader)? _open;

    /// <inheritdoc/>
    public async ValueTask<Batch> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryRead() is { } batch)
            {
                return batch;
            }
            Task appended;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_stopping, this);
                if (!_inMemory || _queue.Count > 0)
                {
                    continue;
                }
                _readerWaits ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                appended = _readerWaits.Task;
            }
            await appended.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Batch? TryRead()
    {
        while (true)
        {
            Segment segment;
            long limit, expected, last;
            lock (_gate)
            {
                if (_queue.TryDequeue(out var batch))
                {
                    _queueBytes -= batch.Body.Length;
                    _readPosition = batch.Position;
                    ReadLocked(batch);
                    return batch;
                }
                if (_inMemory || _stopping)
                {
                    EverythingReadLocked();
                    return null;
                }
                _cursor = Math.Max(_cursor, _committedPosition + 1);
                if (_segments.Find(candidate => candidate.LastPosition >= _cursor) is not { } next)
                {
                    _inMemory = true;
                    EverythingReadLocked();
                    CloseReaderLocked();
                    return null;
                }
                segment = _reading = next;
                limit = segment.EndOffset;
                last = segment.LastPosition;
                expected = _cursor;
            }
            if (ReadFromDisk(segment, limit, expected, last) is { } read)
            {
                return read;
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The position is above everything appended, and batches were appended since the start: storage and log do not belong together.</exception>
    public ValueTask CommitAsync(long position, CancellationToken cancellationToken)
    {
        List<Batch>? forgotten = null;
        List<Segment> retired;
        lock (_gate)
        {
            if (position <= _committedPosition || _stopping)
            {
                return ValueTask.CompletedTask;
            }
            if (position > _appendedPosition)
            {
                JumpLocked(position);
            }
            _committedPosition = position;
            while (_queue.TryPeek(out var batch) && batch.Position <= position)
            {
                _queueBytes -= batch.Body.Length;
                ReadLocked(batch);
                (forgotten ??= []).Add(_queue.Dequeue());
            }
            _readPosition = Math.Max(_readPosition, position);
            _uncommittedBytes = _segments.Sum(segment => segment.BytesAbove(position));
            retired = TakeRetiredLocked();
        }
        forgotten?.ForEach(static batch => batch.Dispose());
        Recycle(retired);
        return ValueTask.CompletedTask;
    }

    /// <summary>Storage holds more than the log ever had, as when the log was deleted: positions go on above what storage holds.</summary>
    private void JumpLocked(long position)
    {
        if (_appendedSinceOpen || _pending.Count > 0)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"Position {position} was committed, the last one appended is {_appendedPosition}. Open the buffer with the position that storage covers."));
        }
        _appendedPosition = position;
        _mustRoll = true;
    }

    /// <summary>The next batch that is not committed from the segment, or null when it has none.</summary>
    private Batch? ReadFromDisk(Segment segment, long limit, long expected, long last)
    {
        LogRecord? found = null;
        var cursor = expected;
        Batch? batch = null;
        List<Segment> retired;
        try
        {
            found = FindOnDisk(segment, limit, expected, last);
            cursor = (found?.Header.Position ?? last) + 1;
        }
        finally
        {
            lock (_gate)
            {
                _reading = null;
                _cursor = cursor;
                if (found is { Body: { } body, Header: var header } && header.Position > _committedPosition)
                {
                    _readPosition = header.Position;
                    batch = new Batch(header.Signal, header.Tenant, header.ReceivedUnixNano, header.Encoding, body.Memory, body) { Position = header.Position };
                    ReadLocked(batch);
                }
                retired = TakeRetiredLocked();
                if (_stopping)
                {
                    Monitor.PulseAll(_gate);
                }
            }
        }
        if (batch is null)
        {
            found?.Body?.Dispose();
        }
        Recycle(retired);
        return batch;
    }

    private LogRecord? FindOnDisk(Segment segment, long limit, long expected, long last)
    {
        if (_open?.Segment != segment)
        {
            _open?.Reader.Dispose();
            _open = (segment, new SegmentReader(segment.File, segment.Seed, segment.OffsetBefore(expected)));
        }
        var reader = _open.Value.Reader;
        while (reader.Read(limit, segment.Header.FirstPosition, last + 1, withBody: true) is { } record)
        {
            if (record.SkippedBytes > 0 && !segment.IsKnownDamage(record.Offset))
            {
                ReportDamage(segment, record.Offset - record.SkippedBytes, record.SkippedBytes);
            }
            if (record.Header.Position >= expected)
            {
                return record;
            }
            record.Body?.Dispose();
        }
        ReportDamage(segment, reader.Offset, limit - reader.Offset);
        return null;
    }

    /// <summary>Takes the batch over for the reader; false when it stays on the disk only, and the caller disposes it.</summary>
    private bool HandOverLocked(Batch batch, long position)
    {
        if (!_inMemory)
        {
            return false;
        }
        if (_queue.Count > 0 && _queueBytes + batch.Body.Length > _options.HandOverBytes)
        {
            _inMemory = false;
            _cursor = position;
            return false;
        }
        _queue.Enqueue(batch.At(position));
        _queueBytes += batch.Body.Length;
        return true;
    }

    /// <summary>Removes the segments that nobody needs: all committed, not written to, not being read.</summary>
    private List<Segment> TakeRetiredLocked()
    {
        var retired = new List<Segment>();
        for (var i = _segments.Count - (_mustRoll ? 1 : 2); i >= 0; i--)
        {
            var segment = _segments[i];
            if (segment != _reading && segment.LastPosition <= _committedPosition)
            {
                _segments.RemoveAt(i);
                retired.Add(segment);
            }
        }
        return retired;
    }

    private void Recycle(List<Segment> retired)
    {
        foreach (var segment in retired)
        {
            _spares.Return(segment);
        }
        if (retired.Count > 0)
        {
            _metrics.Recycled(retired.Count);
        }
    }

    private void CloseReaderLocked()
    {
        _open?.Reader.Dispose();
        _open = null;
    }

    private void CloseReading()
    {
        TaskCompletionSource? reader;
        lock (_gate)
        {
            while (_reading is not null)
            {
                Monitor.Wait(_gate);
            }
            CloseReaderLocked();
            (reader, _readerWaits) = (_readerWaits, null);
            while (_queue.TryDequeue(out var batch))
            {
                batch.Dispose();
            }
            _queueBytes = 0;
        }
        reader?.SetResult();
    }

    private void ReportDamage(Segment segment, long offset, long skippedBytes)
    {
        _metrics.Corrupt(1);
        LogDamaged(_logger, segment.Path, offset, skippedBytes);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Damage in buffer segment '{Path}' at offset {Offset} while reading: {SkippedBytes} bytes skipped.")]
    private static partial void LogDamaged(ILogger logger, string path, long offset, long skippedBytes);
}

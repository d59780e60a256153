using System.Security.Cryptography;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Logging;

namespace Apm.DurableBuffer.Embedded;

/// <summary>The commit thread: takes everything that waits, writes it, syncs once, hands it to the reader, completes the waiters.</summary>
public sealed partial class EmbeddedBuffer
{
    /// <summary>How often a failed disk is tried when nobody appends, because a host that reports itself not ready is sent nothing. Short beside a probe's interval, rare enough to cost nothing.</summary>
    private static readonly TimeSpan FaultProbeInterval = TimeSpan.FromSeconds(1);

    private readonly GatherWriter _writer = new();

    private void RunCommitter()
    {
        var group = new List<PendingAppend>();
        try
        {
            while (WaitForWork(ref group))
            {
                if (group.Count == 0)
                {
                    ProbeDisk();
                    continue;
                }
                CommitGroup(group);
                group.Clear();
            }
        }
        finally
        {
            _stopped.SetResult();
        }
    }

    /// <summary>Takes all that waits; takes nothing when it is time to try a failed disk again. False when the buffer stops and everything is done.</summary>
    private bool WaitForWork(ref List<PendingAppend> group)
    {
        lock (_gate)
        {
            while (_pending.Count == 0 && !_stopping)
            {
                if (!Monitor.Wait(_gate, _fault is null ? Timeout.InfiniteTimeSpan : FaultProbeInterval) && _fault is not null && _pending.Count == 0 && !_stopping)
                {
                    return true;
                }
            }
            if (_pending.Count == 0)
            {
                return false;
            }
            (group, _pending) = (_pending, group);
            _appendedSinceOpen = true;
            return true;
        }
    }

    /// <summary>After a fault there is no segment to write to; when one can be opened again, the fault is over.</summary>
    private void ProbeDisk()
    {
        string? endedFault;
        try
        {
            SegmentFor(0, zeroed: false);
        }
        catch (IOException failure)
        {
            lock (_gate)
            {
                _fault = Describe(failure);
            }
            return;
        }
        lock (_gate)
        {
            (endedFault, _fault) = (_fault, null);
        }
        LogWriteRecovered(_logger, endedFault ?? "");
    }

    private void CommitGroup(List<PendingAppend> group)
    {
        for (var start = 0; start < group.Count;)
        {
            Segment segment;
            try
            {
                segment = SegmentFor(group[start].RecordBytes, zeroed: false);
            }
            catch (IOException failure)
            {
                Fail(group, start, group.Count, failure);
                return;
            }
            var end = start + 1;
            var endOffset = segment.WriteOffset + group[start].RecordBytes;
            while (end < group.Count && endOffset + group[end].RecordBytes <= segment.CapacityBytes)
            {
                endOffset += group[end++].RecordBytes;
            }
            try
            {
                WriteRun(segment, group, start, end);
            }
            catch (IOException failure)
            {
                Abandon(segment);
                Fail(group, start, end, failure);
                start = end;
                continue;
            }
            segment.WriteOffset = endOffset;
            Publish(segment, group, start, end);
            start = end;
        }
    }

    private void WriteRun(Segment segment, List<PendingAppend> group, int start, int end)
    {
        _writer.Begin(segment.File, segment.WriteOffset);
        var position = _appendedPosition; // only this thread changes it once appends began
        for (var i = start; i < end; i++)
        {
            _writer.Add(group[i].Batch, ++position, segment.Seed);
        }
        _writer.Flush();
        var began = _time.GetTimestamp();
        segment.File.Sync();
        _metrics.Synced(_time.GetElapsedTime(began));
    }

    /// <summary>The segment to write the next record to, a new one when the record does not fit or the last one is not to be written to any more.</summary>
    private Segment SegmentFor(long recordBytes, bool zeroed)
    {
        SegmentHeader header;
        lock (_gate)
        {
            if (!_mustRoll && _segments[^1] is var current && current.WriteOffset + recordBytes <= current.CapacityBytes)
            {
                return current;
            }
            header = new SegmentHeader(
                _nextGeneration++,
                _appendedPosition + 1,
                _handedOutPosition,
                BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))),
                _time.GetUtcNow().Subtract(DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick);
        }
        Segment segment;
        try
        {
            segment = _spares.Open(header, zeroed);
        }
        catch (IOException)
        {
            lock (_gate)
            {
                _mustRoll = true; // also when the last segment was merely full: a later, smaller record must not end the fault
            }
            throw;
        }
        List<Segment> retired;
        lock (_gate)
        {
            _segments.Add(segment);
            _mustRoll = false;
            retired = TakeRetiredLocked();
        }
        Recycle(retired);
        return segment;
    }

    /// <summary>A log without a segment gets one at once, so that the first sender does not wait for it, and so that a directory that cannot be written shows at start.</summary>
    private void PrepareFirstSegment()
    {
        try
        {
            if (_mustRoll)
            {
                SegmentFor(0, zeroed: true);
            }
        }
        catch (IOException failure)
        {
            _fault = Describe(failure);
            LogWriteFailed(_logger, 0, _fault, failure);
        }
    }

    /// <summary>After a failed write or sync nobody knows what the file holds after its durable end: it is never written to again, and what was durable stays readable.</summary>
    private void Abandon(Segment segment)
    {
        bool empty;
        lock (_gate)
        {
            _mustRoll = true;
            empty = segment.IsEmpty;
            if (empty)
            {
                _segments.Remove(segment);
            }
        }
        if (empty)
        {
            _spares.Discard(segment.File, segment.Path);
        }
    }

    private void Publish(Segment segment, List<PendingAppend> group, int start, int end)
    {
        var bytes = 0L;
        TaskCompletionSource? reader;
        string? endedFault;
        var firstSpilled = end;
        lock (_gate)
        {
            var offset = segment.EndOffset;
            for (var i = start; i < end; i++)
            {
                var append = group[i];
                segment.Add(++_appendedPosition, offset, append.RecordBytes);
                offset += append.RecordBytes;
                bytes += append.RecordBytes;
                _unreadBytes += Weight(append.Batch);
                if (!HandOverLocked(append.Batch, _appendedPosition))
                {
                    firstSpilled = Math.Min(firstSpilled, i);
                }
            }
            _handedOutPosition = _appendedPosition;
            _uncommittedBytes += bytes;
            _pendingBytes -= bytes;
            (endedFault, _fault) = (_fault, null);
            (reader, _readerWaits) = (_readerWaits, null);
        }
        for (var i = start; i < end; i++)
        {
            if (i >= firstSpilled)
            {
                group[i].Batch.Dispose();
            }
            group[i].Succeed();
        }
        reader?.SetResult();
        _metrics.Appended(end - start, bytes);
        if (endedFault is not null)
        {
            LogWriteRecovered(_logger, endedFault);
        }
    }

    private void Fail(List<PendingAppend> group, int start, int end, IOException cause)
    {
        var fault = Describe(cause);
        bool isNew;
        lock (_gate)
        {
            for (var i = start; i < end; i++)
            {
                _pendingBytes -= group[i].RecordBytes;
            }
            isNew = _fault != fault;
            _fault = fault;
        }
        if (isNew)
        {
            LogWriteFailed(_logger, end - start, fault, cause); // the metric counts the others
        }
        _metrics.Refused(end - start);
        for (var i = start; i < end; i++)
        {
            group[i].Batch.Dispose();
            group[i].Fail(new BufferFullException($"The buffer cannot write: {fault}.", FaultRetryAfter, cause));
        }
    }

    private static string Describe(IOException failure) => failure is DiskFullException ? "disk full" : $"write failed: {failure.Message}";

    [LoggerMessage(Level = LogLevel.Error, Message = "The buffer refused {Batches} batches: {Fault}.")]
    private static partial void LogWriteFailed(ILogger logger, int batches, string fault, Exception failure);

    [LoggerMessage(Level = LogLevel.Information, Message = "The buffer takes batches again after: {Fault}.")]
    private static partial void LogWriteRecovered(ILogger logger, string fault);
}

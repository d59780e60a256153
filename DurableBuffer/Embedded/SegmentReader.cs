using System.Buffers;
using Apm.Telemetry.Files;
using Apm.Telemetry.Otlp;

namespace Apm.DurableBuffer.Embedded;

/// <summary>A record found by <see cref="SegmentReader"/>. <paramref name="Body"/> is the caller's to dispose; null when bodies were not asked for.</summary>
/// <param name="SkippedBytes">Damaged bytes between the last record and this one; 0 in a sound log.</param>
internal readonly record struct LogRecord(RecordHeader Header, PooledBody? Body, long Offset, long SkippedBytes)
{
    public long EndOffset => Offset + Header.RecordBytes;
}

/// <summary>A body read from the disk into a pooled array.</summary>
internal sealed class PooledBody(int lengthBytes) : IDisposable
{
    private byte[]? _array = BodyArrays.Rent(lengthBytes);

    public Memory<byte> Memory => _array.AsMemory(0, lengthBytes);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is { } array)
        {
            BodyArrays.Return(array);
        }
    }
}

/// <summary>
/// Reads a segment's records in order, each checked; after a damaged one it searches the next whole one, byte by byte. One thread at a time.
/// </summary>
internal sealed class SegmentReader(IFile file, uint seed, long offset) : IDisposable
{
    /// <summary>Bytes read at once: enough that small records cost no system call each, little enough to keep.</summary>
    private const int WindowBytes = 256 << 10;

    private byte[] _window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private long _windowStart;
    private int _windowLength;

    /// <summary>Where the next record is expected.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>
    /// The next whole record before <paramref name="limit"/> with a position from <paramref name="expected"/> to below <paramref name="bound"/>; null when there is none.
    /// Then <see cref="Offset"/> stays after the last record found.
    /// </summary>
    public LogRecord? Read(long limit, long expected, long bound, bool withBody)
    {
        for (var at = Offset; (at = FindCandidate(at, limit, expected, bound)) >= 0; at++)
        {
            if (TryReadAt(at, limit, expected, bound, withBody, out var header, out var body))
            {
                var record = new LogRecord(header, body, at, at - Offset);
                Offset = record.EndOffset;
                return record;
            }
        }
        return null;
    }

    public void Dispose()
    {
        if (_window.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_window);
            _window = [];
        }
    }

    /// <summary>The first offset from <paramref name="at"/> on where a header could begin, judged by length and position; -1 when there is none.</summary>
    private long FindCandidate(long at, long limit, long expected, long bound)
    {
        while (at + RecordHeader.SizeBytes <= limit)
        {
            var bytes = Peek(at, RecordHeader.SizeBytes, limit);
            if (bytes.Length < RecordHeader.SizeBytes)
            {
                return -1; // the file is shorter than it should be
            }
            var i = 0;
            for (; i + RecordHeader.SizeBytes <= bytes.Length; i++)
            {
                var header = bytes.Slice(i, RecordHeader.SizeBytes);
                var position = RecordHeader.PositionOf(header);
                if (position == 0)
                {
                    i += ZerosBeforeNextPosition(bytes[i..]);
                    continue;
                }
                if (IsPlausible(RecordHeader.Decode(header), at + i, limit, expected, bound))
                {
                    return at + i;
                }
            }
            at += i;
        }
        return -1;
    }

    /// <summary>In a run of zeros, how far to the last header start that has only zeros as position.</summary>
    private static int ZerosBeforeNextPosition(ReadOnlySpan<byte> bytes)
    {
        const int positionEnd = 16;
        var next = bytes[8..].IndexOfAnyExcept((byte)0);
        var nonZero = next < 0 ? bytes.Length : next + 8;
        return Math.Max(0, nonZero - positionEnd);
    }

    private static bool IsPlausible(in RecordHeader header, long at, long limit, long expected, long bound) =>
        header.Position >= expected
        && header.Position < bound
        && header.Position - expected <= limit / RecordHeader.SizeBytes
        && header.BodyBytes >= 0
        && at + header.RecordBytes <= limit;

    private bool TryReadAt(long at, long limit, long expected, long bound, bool withBody, out RecordHeader header, out PooledBody? body)
    {
        body = null;
        header = default;
        var bytes = Peek(at, RecordHeader.SizeBytes, limit);
        if (bytes.Length < RecordHeader.SizeBytes)
        {
            return false;
        }
        header = RecordHeader.Decode(bytes);
        if (!IsPlausible(header, at, limit, expected, bound))
        {
            return false;
        }
        var crc = RecordHeader.HeaderCrc(bytes, seed);
        if (!withBody)
        {
            return TryChecksum(at + RecordHeader.SizeBytes, header.BodyBytes, limit, ref crc) && crc == header.Crc;
        }
        var read = new PooledBody(header.BodyBytes);
        if (CopyTo(read.Memory.Span, at + RecordHeader.SizeBytes, limit) && Crc32C.Append(crc, read.Memory.Span) == header.Crc)
        {
            body = read;
            return true;
        }
        read.Dispose();
        return false;
    }

    private bool TryChecksum(long at, long lengthBytes, long limit, ref uint crc)
    {
        while (lengthBytes > 0)
        {
            var bytes = Peek(at, 1, limit);
            if (bytes.IsEmpty)
            {
                return false;
            }
            bytes = bytes[..(int)Math.Min(bytes.Length, lengthBytes)];
            crc = Crc32C.Append(crc, bytes);
            at += bytes.Length;
            lengthBytes -= bytes.Length;
        }
        return true;
    }

    /// <summary>Small bodies come out of the window; of large ones what the window lacks is read straight into place.</summary>
    private bool CopyTo(Span<byte> target, long at, long limit)
    {
        var bytes = Peek(at, Math.Min(target.Length, target.Length <= WindowBytes / 4 ? target.Length : 0), limit);
        var count = Math.Min(bytes.Length, target.Length);
        bytes[..count].CopyTo(target);
        return count == target.Length || TolerantRead.Read(file, target[count..], at + count) == target.Length - count;
    }

    /// <summary>At least <paramref name="wanted"/> bytes at the offset unless the limit or the file ends before, and whatever the window holds beyond.</summary>
    private ReadOnlySpan<byte> Peek(long at, int wanted, long limit)
    {
        var end = Math.Min(_windowStart + _windowLength, limit);
        if (at < _windowStart || at + wanted > end)
        {
            if (wanted == 0)
            {
                return at >= _windowStart && at < end ? _window.AsSpan((int)(at - _windowStart), (int)(end - at)) : [];
            }
            _windowLength = 0;
            _windowStart = at;
            _windowLength = TolerantRead.Read(file, _window.AsSpan(0, (int)Math.Min(WindowBytes, Math.Max(0, limit - at))), at);
            end = _windowStart + _windowLength;
        }
        return end > at ? _window.AsSpan((int)(at - _windowStart), (int)(end - at)) : [];
    }
}

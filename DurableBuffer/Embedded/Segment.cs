using Apm.Telemetry.Files;

namespace Apm.DurableBuffer.Embedded;

/// <summary>
/// A segment file in use. <see cref="WriteOffset"/> belongs to the commit thread; the rest is guarded by the buffer's gate. The file is disposed by who retires the segment.
/// </summary>
internal sealed class Segment(IFile file, string path, SegmentHeader header, long capacityBytes)
{
    /// <summary>Distance of entries in the index: 1,024 of them in a segment of 64 MiB, 16 KiB of memory.</summary>
    private const long IndexStrideBytes = 64 << 10;

    private readonly List<(long Position, long Offset)> _index = [];
    private HashSet<long>? _knownDamage;

    public IFile File { get; } = file;

    public string Path { get; } = path;

    public SegmentHeader Header { get; } = header;

    public long CapacityBytes { get; } = capacityBytes;

    public uint Seed { get; } = header.RecordSeed;

    /// <summary>Where the commit thread writes next.</summary>
    public long WriteOffset { get; set; } = SegmentHeader.PageBytes;

    /// <summary>End of the durable records; nothing after it is trusted.</summary>
    public long EndOffset { get; private set; } = SegmentHeader.PageBytes;

    /// <summary>The last durable record's position; the one before the first when there is none.</summary>
    public long LastPosition { get; private set; } = header.FirstPosition - 1;

    public bool IsEmpty => LastPosition < Header.FirstPosition;

    /// <summary>The record at the offset is durable.</summary>
    public void Add(long position, long offset, long recordBytes)
    {
        if (_index.Count == 0 || offset - _index[^1].Offset >= IndexStrideBytes)
        {
            _index.Add((position, offset));
        }
        LastPosition = position;
        EndOffset = offset + recordBytes;
    }

    /// <summary>There is damage before the record at the offset, reported when the log was opened.</summary>
    public void KnowDamage(long offset) => (_knownDamage ??= []).Add(offset);

    public bool IsKnownDamage(long offset) => _knownDamage is { } known && known.Contains(offset);

    /// <summary>A place to start reading from to find the position: at or before it.</summary>
    public long OffsetBefore(long position)
    {
        var low = 0;
        var high = _index.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_index[middle].Position <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low == 0 ? SegmentHeader.PageBytes : _index[low - 1].Offset;
    }

    /// <summary>Bytes of records above the position: exact at the segment's ends, up to one stride too many inside.</summary>
    public long BytesAbove(long position) => position >= LastPosition ? 0 : EndOffset - OffsetBefore(position + 1);
}

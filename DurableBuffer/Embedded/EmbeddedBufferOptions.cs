using System.Globalization;

namespace Apm.DurableBuffer.Embedded;

/// <summary>Bounds of the embedded buffer; section <c>Buffer</c>. Immutable once the buffer is open.</summary>
public sealed class EmbeddedBufferOptions
{
    public const string Section = "Buffer";

    /// <summary>Smallest segment accepted from configuration: below it the log spends its time opening files.</summary>
    public const int MinSegmentBytes = 1 << 20;

    /// <summary>Largest segment: offsets inside one are 32 bits.</summary>
    public const int MaxSegmentBytes = 1 << 30;

    /// <summary>Largest number of spare segments; more is disk space nobody uses.</summary>
    public const int MaxSpareSegments = 64;

    /// <summary>Bytes of a segment file. 64 MiB: a segment every 200 ms at the highest rate, so that opening one is no cost, and recycling frees space soon.</summary>
    public int SegmentBytes { get; set; } = 64 << 20;

    /// <summary>Bytes on disk that storage does not hold yet; at the bound appends fail. 4 GiB: many minutes of a slow or broken store.</summary>
    public long MaxUncommittedBytes { get; set; } = 4L << 30;

    /// <summary>Bytes of durable batches kept in memory for the reader; beyond it a reader that lags reads from the disk. 64 MiB: a fifth of a second at the highest rate.</summary>
    public long HandOverBytes { get; set; } = 64 << 20;

    /// <summary>Bytes, decompressed, that are durable and not read above which acknowledgements are held back. 32 MiB: half a second of ingest at the highest rate.</summary>
    public long PaceBytes { get; set; } = 32 << 20;

    /// <summary>Bytes of appends waiting for the disk; at the bound appends fail. 64 MiB: more would wait longer than a sender's patience on a slow disk.</summary>
    public long MaxPendingBytes { get; set; } = 64 << 20;

    /// <summary>Emptied segments kept for reuse, as writing in place is cheaper than growing a file. 4 at 64 MiB: what storage's sealing leaves free at once.</summary>
    public int SpareSegments { get; set; } = 4;

    /// <summary>Everything that is wrong, each with key, value and what would be right; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Check(nameof(SegmentBytes), SegmentBytes, MinSegmentBytes, MaxSegmentBytes);
        Check(nameof(MaxUncommittedBytes), MaxUncommittedBytes, 2L * Math.Max(SegmentBytes, MinSegmentBytes), long.MaxValue);
        Check(nameof(HandOverBytes), HandOverBytes, 0, long.MaxValue);
        Check(nameof(PaceBytes), PaceBytes, 0, long.MaxValue);
        Check(nameof(MaxPendingBytes), MaxPendingBytes, 1 << 20, long.MaxValue);
        Check(nameof(SpareSegments), SpareSegments, 0, MaxSpareSegments);
        return errors;

        void Check(string key, long value, long min, long max)
        {
            if (value < min || value > max)
            {
                errors.Add(max == long.MaxValue
                    ? string.Create(CultureInfo.InvariantCulture, $"{Section}:{key} is {value}; it must be at least {min}.")
                    : string.Create(CultureInfo.InvariantCulture, $"{Section}:{key} is {value}; it must be from {min} to {max}."));
            }
        }
    }
}

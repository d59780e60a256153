using Apm.Telemetry.Files;
using Microsoft.Extensions.Logging;

namespace Apm.DurableBuffer.Embedded;

/// <summary>What a directory held when the log was opened.</summary>
/// <param name="Segments">By generation; none is empty except perhaps the last, which is to be written on.</param>
/// <param name="NextGeneration">Above every generation ever seen.</param>
/// <param name="LastPosition">The last position that was handed out, as far as the files tell; 0 in a new log.</param>
internal sealed record RecoveredLog(List<Segment> Segments, ulong NextGeneration, long LastPosition, long CorruptRecords);

/// <summary>
/// Opens the files of a log: checks every record above the covered position, finds where writing goes on, and keeps emptied files as spares.
/// A torn tail ends the log; damage with whole records behind it is skipped, counted and logged.
/// </summary>
internal sealed partial class LogRecovery(IFileSystem files, string directory, SpareSegments spares, ILogger logger)
{
    private long _corruptRecords;

    public RecoveredLog Run(long coveredPosition)
    {
        var found = new List<(SegmentHeader Header, IFile File, string Path)>();
        var nextGeneration = 1UL;
        try
        {
            foreach (var name in files.ListFiles(directory).Order(StringComparer.Ordinal))
            {
                if (SpareSegments.TryParseName(name, SpareSegments.SegmentExtension, out var generation))
                {
                    nextGeneration = Math.Max(nextGeneration, generation + 1);
                    OpenSegment(generation, found);
                }
                else if (SpareSegments.TryParseName(name, SpareSegments.SpareExtension, out generation))
                {
                    nextGeneration = Math.Max(nextGeneration, generation + 1);
                    spares.KeepFound(generation);
                }
            }
            foreach (var (header, _, _) in found)
            {
                nextGeneration = Math.Max(nextGeneration, header.Generation + 1);
            }
            found.Sort(static (a, b) => a.Header.Generation.CompareTo(b.Header.Generation));
            return Scan(found, nextGeneration, coveredPosition);
        }
        catch
        {
            found.ForEach(static segment => segment.File.Dispose());
            throw;
        }
    }

    private void OpenSegment(ulong generation, List<(SegmentHeader Header, IFile File, string Path)> found)
    {
        var path = spares.PathOf(generation, SpareSegments.SegmentExtension);
        var file = files.OpenWrite(path);
        try
        {
            var page = new byte[SegmentHeader.PageBytes];
            var length = TolerantRead.Read(file, page, 0);
            if (!SegmentHeader.TryDecode(page.AsSpan(0, length), path, out var header))
            {
                file.Dispose();
                SetAside(path, generation);
            }
            else if (header.Generation != generation)
            {
                // Renamed for its next use, and the rename was lost: what it held under this name was committed.
                file.Dispose();
                files.Rename(path, spares.PathOf(generation, SpareSegments.SpareExtension));
                spares.KeepFound(generation);
            }
            else
            {
                found.Add((header, file, path));
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Both copies of the header are damaged, so no record can be checked. The file is kept for whoever wants to look at it.</summary>
    private void SetAside(string path, ulong generation)
    {
        _corruptRecords++;
        var aside = spares.PathOf(generation, SpareSegments.DamagedExtension);
        LogDamagedHeader(logger, path, aside);
        files.Rename(path, aside);
    }

    private RecoveredLog Scan(List<(SegmentHeader Header, IFile File, string Path)> found, ulong nextGeneration, long coveredPosition)
    {
        var segments = new List<Segment>();
        var bound = long.MaxValue;
        var bounds = new long[found.Count];
        for (var i = found.Count - 1; i >= 0; i--)
        {
            bounds[i] = bound;
            bound = Math.Min(bound, found[i].Header.FirstPosition);
        }
        var last = 0L;
        for (var i = 0; i < found.Count; i++)
        {
            var (header, file, path) = found[i];
            var isLast = i == found.Count - 1;
            var segment = new Segment(file, path, header, file.Length);
            var preceding = isLast ? 0 : found[i + 1].Header.PrecedingPosition;
            if (!isLast && Math.Min(bounds[i] - 1, preceding) <= coveredPosition)
            {
                last = Math.Max(last, preceding);
                spares.Return(segment);
                continue;
            }
            ScanSegment(segment, bounds[i], preceding);
            last = Math.Max(last, Math.Max(segment.LastPosition, header.FirstPosition - 1));
            if (segment.IsEmpty && !isLast)
            {
                spares.Return(segment);
                continue;
            }
            segments.Add(segment);
        }
        if (segments.Count > 0)
        {
            segments[^1].WriteOffset = segments[^1].EndOffset;
            segments[^1].File.Sync(); // what was read may be in the system's memory only, and positions are about to build on it
        }
        return new RecoveredLog(segments, nextGeneration, last, _corruptRecords);
    }

    /// <param name="preceding">The last position known to have been handed out before the next segment; the segment should reach it.</param>
    private void ScanSegment(Segment segment, long bound, long preceding)
    {
        using var reader = new SegmentReader(segment.File, segment.Seed, SegmentHeader.PageBytes);
        var expected = segment.Header.FirstPosition;
        while (expected < bound && reader.Read(segment.CapacityBytes, expected, bound, withBody: false) is { } record)
        {
            if (record.SkippedBytes > 0)
            {
                segment.KnowDamage(record.Offset);
                ReportDamage(segment, record.Offset - record.SkippedBytes, record.SkippedBytes, expected, record.Header.Position - 1);
            }
            segment.Add(record.Header.Position, record.Offset, record.Header.RecordBytes);
            expected = record.Header.Position + 1;
        }
        var lastExpected = Math.Min(bound - 1, preceding);
        if (expected <= lastExpected)
        {
            ReportDamage(segment, segment.EndOffset, segment.CapacityBytes - segment.EndOffset, expected, lastExpected);
        }
    }

    private void ReportDamage(Segment segment, long offset, long skippedBytes, long first, long last)
    {
        _corruptRecords += Math.Max(1, last - first + 1);
        LogDamagedRecords(logger, segment.Path, offset, skippedBytes, first, last);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Damage in buffer segment '{Path}' at offset {Offset}: {SkippedBytes} bytes skipped, batches {First} to {Last} are lost.")]
    private static partial void LogDamagedRecords(ILogger logger, string path, long offset, long skippedBytes, long first, long last);

    [LoggerMessage(Level = LogLevel.Error, Message = "The header of buffer segment '{Path}' is damaged in both copies: its batches are lost. The file is kept as '{Aside}'.")]
    private static partial void LogDamagedHeader(ILogger logger, string path, string aside);
}

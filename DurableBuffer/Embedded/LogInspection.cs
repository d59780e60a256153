using System.Globalization;
using Apm.Telemetry.Files;

namespace Apm.DurableBuffer.Embedded;

/// <summary>A segment as it is on the disk.</summary>
/// <param name="LastPosition">Of the last whole record; below <paramref name="FirstPosition"/> when there is none.</param>
/// <param name="UsedBytes">From the file's start to the end of the last whole record.</param>
/// <param name="FileBytes">Of the whole file.</param>
public sealed record LogSegmentReport(string File, ulong Generation, long FirstPosition, long LastPosition, long Records, long UsedBytes, long FileBytes);

/// <summary>
/// Reads a log as recovery does, every record checked, and changes nothing. The process that owns the log may run: a segment that is put to its next use
/// meanwhile is left out, as storage holds what was in it. A torn tail is no finding: what is behind the last whole record never counted.
/// </summary>
public sealed class LogInspection
{
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly List<LogSegmentReport> _segments = [];
    private readonly List<FileFinding> _findings = [];

    private LogInspection(IFileSystem files, string directory)
    {
        _files = files;
        _directory = directory;
    }

    /// <summary>In the order of their use.</summary>
    public IReadOnlyList<LogSegmentReport> Segments => _segments;

    public IReadOnlyList<FileFinding> Findings => _findings;

    /// <summary>Emptied files that wait for their next use.</summary>
    public int Spares { get; private set; }

    /// <exception cref="IOException">The disk cannot be read.</exception>
    public static LogInspection Read(IFileSystem files, string directory)
    {
        var inspection = new LogInspection(files, directory);
        inspection.Run();
        return inspection;
    }

    private void Run()
    {
        var found = new List<(SegmentHeader Header, IFile File, string Path)>();
        try
        {
            foreach (var name in _files.ListFiles(_directory).Order(StringComparer.Ordinal))
            {
                if (SpareSegments.TryParseName(name, SpareSegments.SegmentExtension, out var generation))
                {
                    Open(name, generation, found);
                }
                else if (SpareSegments.TryParseName(name, SpareSegments.SpareExtension, out _))
                {
                    Spares++;
                }
                else if (SpareSegments.TryParseName(name, SpareSegments.DamagedExtension, out _))
                {
                    _findings.Add(new FileFinding(_directory + "/" + name, 0, "a segment whose header was damaged in both copies; set aside, its batches are lost"));
                }
            }
            found.Sort(static (left, right) => left.Header.Generation.CompareTo(right.Header.Generation));
            var bounds = new long[found.Count];
            var bound = long.MaxValue;
            for (var i = found.Count - 1; i >= 0; i--)
            {
                bounds[i] = bound;
                bound = Math.Min(bound, found[i].Header.FirstPosition);
            }
            for (var i = 0; i < found.Count; i++)
            {
                Scan(found[i].Header, found[i].File, found[i].Path, bounds[i], i + 1 < found.Count ? found[i + 1].Header.PrecedingPosition : 0);
            }
        }
        finally
        {
            found.ForEach(static segment => segment.File.Dispose());
        }
    }

    private void Open(string name, ulong generation, List<(SegmentHeader Header, IFile File, string Path)> found)
    {
        var path = _directory + "/" + name;
        IFile file;
        try
        {
            file = _files.OpenRead(path);
        }
        catch (FileNotFoundException)
        {
            return; // emptied since the files were listed
        }
        var keep = false;
        try
        {
            var page = new byte[SegmentHeader.PageBytes];
            var length = TolerantRead.Read(file, page, 0);
            bool whole;
            SegmentHeader header;
            try
            {
                whole = SegmentHeader.TryDecode(page.AsSpan(0, length), path, out header);
            }
            catch (NewerFormatException newer)
            {
                _findings.Add(new FileFinding(path, 8, newer.Message));
                return;
            }
            if (!whole)
            {
                _findings.Add(new FileFinding(path, 0, "the header is damaged in both copies: its records cannot be checked"));
                return;
            }
            var (first, second) = SegmentHeader.CheckCopies(page.AsSpan(0, length));
            if (!first || !second)
            {
                _findings.Add(new FileFinding(path, first ? SegmentHeader.CopyOffset : 0, "one copy of the header is damaged, the other is whole"));
            }
            if (header.Generation == generation)
            {
                keep = true;
                found.Add((header, file, path));
            }
        }
        finally
        {
            if (!keep)
            {
                file.Dispose();
            }
        }
    }

    private void Scan(SegmentHeader header, IFile file, string path, long bound, long preceding)
    {
        var findings = new List<FileFinding>();
        var capacity = file.Length;
        var (expected, records, end) = (header.FirstPosition, 0L, (long)SegmentHeader.PageBytes);
        using (var reader = new SegmentReader(file, header.RecordSeed, SegmentHeader.PageBytes))
        {
            while (expected < bound && reader.Read(capacity, expected, bound, withBody: false) is { } record)
            {
                if (record.SkippedBytes > 0)
                {
                    findings.Add(Lost(path, record.Offset - record.SkippedBytes, record.SkippedBytes, expected, record.Header.Position - 1));
                }
                records++;
                end = record.EndOffset;
                expected = record.Header.Position + 1;
            }
        }
        var last = Math.Min(bound - 1, preceding);
        if (expected <= last)
        {
            findings.Add(Lost(path, end, capacity - end, expected, last));
        }
        if (IsStillInUse(file, path, header.Generation))
        {
            _findings.AddRange(findings);
            _segments.Add(new LogSegmentReport(path, header.Generation, header.FirstPosition, expected - 1, records, end, capacity));
        }
    }

    /// <summary>A segment's next use overwrites its header before anything else.</summary>
    internal static bool IsStillInUse(IFile file, string path, ulong generation)
    {
        var page = new byte[SegmentHeader.PageBytes];
        var length = TolerantRead.Read(file, page, 0);
        return SegmentHeader.TryDecode(page.AsSpan(0, length), path, out var now) && now.Generation == generation;
    }

    private static FileFinding Lost(string path, long offset, long bytes, long first, long last) => new(path, offset, first > last
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes are no records")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes are damaged, batches {first} to {last} are lost"));
}

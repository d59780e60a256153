using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage;

/// <param name="TraceId">Only records of this trace, or null.</param>
/// <param name="SpanId">With <paramref name="TraceId"/>: only records of this span.</param>
/// <param name="Ascending">Oldest first, as the logs of a trace and what surrounds a record are read; else newest first.</param>
/// <param name="After">Where the previous page ended, or null.</param>
public sealed record LogQuery(Filter Filter, TimeRange Range, int Limit, TraceId? TraceId = null, SpanId? SpanId = null, bool Ascending = false, LogCursor? After = null, bool CountAll = false);

/// <summary>A record's place in the order by time: its time, and how many records of the same time precede it there.</summary>
public sealed record LogCursor(long TimeUnixNano, int Skip)
{
    /// <summary>Records of one time that pages can go through: each page finds all of them again, and holds up to 48 bytes of each.</summary>
    public const int MaxSkip = 1_000_000;
}

/// <param name="Records">In the order asked for.</param>
/// <param name="Matched">Matching records seen in the scan; all of them only when <see cref="ScanReport.Complete"/>.</param>
public sealed record LogSearchResult(ColumnBatch Records, long Matched, LogCursor? Next, ScanReport Scan);

using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage;

public enum TraceOrder
{
    /// <summary>Start of the trace's newest matching span, newest first.</summary>
    Newest,
    /// <summary>Duration of the trace's longest matching span, longest first.</summary>
    Slowest,
}

/// <param name="Filter">Must hold on one span, which must start in <paramref name="Range"/>.</param>
/// <param name="After">Where the previous page ended, or null.</param>
/// <param name="CountAll">Scan on after the page is full, to count every match; else the scan stops as soon as the page cannot change.</param>
public sealed record TraceQuery(Filter Filter, TimeRange Range, TraceOrder Order, int Limit, TraceCursor? After = null, bool CountAll = false);

/// <summary>The sort key and id of the last trace of a page: paging continues strictly after it.</summary>
/// <param name="Key">Unix nanoseconds (Newest) or duration in nanoseconds (Slowest).</param>
public sealed record TraceCursor(long Key, TraceId TraceId);

/// <param name="MatchedSpans">Matching spans seen in the scan; all of them only when <see cref="ScanReport.Complete"/>.</param>
/// <param name="MatchedTraces">Distinct traces seen among them.</param>
/// <param name="Next">Null on the last page.</param>
public sealed record TraceSearchResult(IReadOnlyList<TraceSummary> Traces, long MatchedSpans, long MatchedTraces, TraceCursor? Next, ScanReport Scan);

/// <summary>A trace as a list shows it. The root is the earliest span without a parent, else the earliest span whose parent is missing.</summary>
/// <param name="DurationNano">Latest end minus earliest start of all its spans.</param>
/// <param name="OrphanSpanCount">Spans whose parent is named but not stored.</param>
/// <param name="MatchedSpanCount">Spans that match the query's filter.</param>
/// <param name="FirstMatch">Id of the earliest of them.</param>
/// <param name="SortKey">As in <see cref="TraceCursor"/>.</param>
public sealed record TraceSummary(
    TraceId TraceId, string RootServiceName, string RootName, StatusCode RootStatus, bool RootMissing, int? RootHttpStatusCode,
    long StartUnixNano, long DurationNano, int SpanCount, int ErrorSpanCount, int OrphanSpanCount, IReadOnlyList<TraceServiceSummary> Services,
    int MatchedSpanCount, SpanId FirstMatch, long SortKey);

/// <param name="SelfNano">Time in which a span of the service ran and none of its children did, added over its spans: its share of the trace.</param>
public sealed record TraceServiceSummary(string ServiceName, int SpanCount, int ErrorSpanCount, long SelfNano);

/// <param name="Spans">Ordered by start; each span once.</param>
/// <param name="Truncated">There are more spans than the budget's rows.</param>
public sealed record TraceFetch(ColumnBatch Spans, bool Truncated, ScanReport Scan);

using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;

namespace Apm.Query.Traces;

/// <param name="MatchedSpans">Matching spans seen; all of them only when the scan was complete.</param>
internal sealed record TracesAnswer(IReadOnlyList<TraceSummaryAnswer> Traces, long MatchedSpans, long MatchedTraces, string? NextCursor, ScanAnswer Scan)
{
    public static TracesAnswer From(TraceSearchResult result, TraceOrder order) => new(
        [.. result.Traces.Select(TraceSummaryAnswer.From)], result.MatchedSpans, result.MatchedTraces,
        result.Next is { } next ? Cursor.Format(next, order) : null, ScanAnswer.From(result.Scan));
}

/// <param name="RootMissing">No span without a parent is stored: the earliest span stands in for the root.</param>
/// <param name="OrphanCount">Spans whose parent is named but not stored.</param>
internal sealed record TraceSummaryAnswer(
    string TraceId, string RootService, string RootName, string RootStatus, bool RootMissing, int? RootHttpStatusCode, UnixNano StartUnixNano, long DurationNano,
    int SpanCount, int ErrorCount, int OrphanCount, IReadOnlyList<TraceServiceAnswer> Services, int MatchedSpanCount, string FirstMatchSpanId)
{
    public static TraceSummaryAnswer From(TraceSummary trace) => new(
        trace.TraceId.ToString(), trace.RootServiceName, trace.RootName, SpanJson.Status((byte)trace.RootStatus).ToString(), trace.RootMissing, trace.RootHttpStatusCode,
        new UnixNano(trace.StartUnixNano), trace.DurationNano, trace.SpanCount, trace.ErrorSpanCount, trace.OrphanSpanCount,
        [.. trace.Services.Select(service => new TraceServiceAnswer(service.ServiceName, service.SpanCount, service.ErrorSpanCount, service.SelfNano))],
        trace.MatchedSpanCount, trace.FirstMatch.ToString());
}

/// <param name="SelfNano">Time in which its spans ran and none of their children did.</param>
internal sealed record TraceServiceAnswer(string Name, int SpanCount, int ErrorCount, long SelfNano);

using System.Text.Json;
using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Query.Logs;
using Apm.Storage;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Traces;

/// <summary><c>traces…</c>: search, one trace whole or as an outline, one span, the logs of a trace.</summary>
internal static class TraceEndpoints
{
    private const int DefaultTraceLogs = 200;

    /// <summary>Log records of one trace that are counted for its outline; above it the outline says so.</summary>
    private const int MaxCountedLogs = 20_000;

    /// <summary>A span's duration is ranked among those of its operation in so much time before it.</summary>
    private const long RankedNano = 3_600_000_000_000;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("traces", SearchAsync).WithName("SearchTraces").WithTags("Traces").WithSummary("Traces of which at least one span matches").Produces<TracesAnswer>();
        api.MapGet("traces/{id}", GetAsync).WithName("GetTrace").WithMetadata(new Lookup()).WithTags("Traces").WithSummary("Every span of a trace").Produces<TraceShape>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("traces/{id}/outline", GetOutlineAsync).WithName("GetTraceOutline").WithMetadata(new Lookup()).WithTags("Traces").WithSummary("What a waterfall needs, in columns: order, depth, times, critical path, repeated calls")
            .Produces<OutlineShape>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("traces/{id}/spans/{spanId}", GetSpanAsync).WithName("GetSpan").WithMetadata(new Lookup()).WithTags("Traces").WithSummary("One span whole, and how its duration ranks among those of its operation")
            .Produces<SpanShape>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapGet("traces/{id}/logs", GetLogsAsync).WithName("GetTraceLogs").WithMetadata(new Lookup()).WithTags("Traces").WithSummary("The log records of a trace or of one of its spans, oldest first").Produces<LogsShape>();
    }

    private static async Task<IResult> SearchAsync(
        ISpanStore spans, QueryRunFactory runs, string? q, string? from, string? to, string? limit, string? order, string? cursor, string? count,
        CancellationToken cancellationToken)
    {
        var by = Parameter.Word(order, "order", "newest", "slowest") == "slowest" ? TraceOrder.Slowest : TraceOrder.Newest;
        var query = new TraceQuery(
            Parameter.Filter(q, Signal.Traces), TimeParameter.ReadRange(from, to, runs.NowUnixNano()), by, Parameter.Limit(limit),
            Cursor.ReadTrace(cursor, by), Parameter.Flag(count, "count"));
        var result = await spans.SearchTracesAsync(query, runs.Begin().Budget(), cancellationToken);
        return TypedResults.Json(TracesAnswer.From(result, by), AnswerJson.Default.TracesAnswer);
    }

    private static async Task<IResult> GetAsync(ISpanStore spans, QueryRunFactory runs, string id, CancellationToken cancellationToken)
    {
        var traceId = Parameter.TraceId(id);
        var trace = await FetchAsync(spans, runs.Begin(), traceId, cancellationToken);
        return new StreamedJson(writer => TraceJson.Write(writer, traceId, trace), trace.Spans.SizeBytes);
    }

    private static async Task<IResult> GetOutlineAsync(ISpanStore spans, ILogStore logs, QueryRunFactory runs, string id, CancellationToken cancellationToken)
    {
        var traceId = Parameter.TraceId(id);
        var run = runs.Begin();
        var trace = await FetchAsync(spans, run, traceId, cancellationToken);
        var records = await logs.SearchLogsAsync(new LogQuery(Filter.All, TimeRange.All, MaxCountedLogs, traceId, Ascending: true), run.Budget(), cancellationToken);
        var outline = TraceOutline.Of(traceId, trace.Spans, trace.Truncated, records.Records, records.Next is not null || !records.Scan.Complete);
        return new StreamedJson(writer => OutlineJson.Write(writer, outline), trace.Spans.SizeBytes);
    }

    private static async Task<IResult> GetSpanAsync(ISpanStore spans, QueryRunFactory runs, string id, string spanId, CancellationToken cancellationToken)
    {
        var traceId = Parameter.TraceId(id);
        var wanted = Parameter.SpanId(spanId);
        var run = runs.Begin();
        var trace = await FetchAsync(spans, run, traceId, cancellationToken);
        var row = trace.Spans.SpanId.Values.IndexOf(wanted);
        if (row < 0)
        {
            throw new NotFoundException($"Trace {traceId} has no span {wanted}.");
        }
        var rank = await RankAsync(spans, trace.Spans, row, run, cancellationToken);
        return new StreamedJson(writer => TraceJson.WriteSpan(writer, trace.Spans, row, rank));
    }

    private static async Task<IResult> GetLogsAsync(ILogStore logs, QueryRunFactory runs, string id, string? spanId, string? limit, string? cursor, CancellationToken cancellationToken)
    {
        var span = string.IsNullOrEmpty(spanId) ? (SpanId?)null : Parameter.SpanId(spanId);
        var query = new LogQuery(
            Filter.All, TimeRange.All, Parameter.Limit(limit, DefaultTraceLogs), Parameter.TraceId(id), span, Ascending: true, Cursor.ReadLog(cursor, ascending: true), CountAll: true);
        return LogEndpoints.Answer(await logs.SearchLogsAsync(query, runs.Begin().Budget(), cancellationToken), ascending: true);
    }

    private static async Task<TraceFetch> FetchAsync(ISpanStore spans, QueryRun run, TraceId traceId, CancellationToken cancellationToken)
    {
        var trace = await spans.GetTraceAsync(traceId, run.Budget(), cancellationToken);
        return trace.Spans.Rows > 0 ? trace : throw new NotFoundException($"There is no trace {traceId}.");
    }

    private static async Task<DurationRank> RankAsync(ISpanStore spans, ColumnBatch trace, int row, QueryRun run, CancellationToken cancellationToken)
    {
        var start = trace.TimeUnixNano[row];
        var operation = Filter.And(
            Filter.Equal(Field.ServiceName, AttributeValue.FromString(trace.ServiceName(row))),
            Filter.Equal(Field.Of(Intrinsic.Name), AttributeValue.FromString(trace.Strings.GetString(trace.Name[row]))),
            Filter.Equal(Field.Of(Intrinsic.Kind), AttributeValue.FromInt64(trace.Kind[row])));
        var result = await spans.AggregateAsync(new AggregateQuery(operation, new TimeRange(start - RankedNano, start + 1), 0, []), run.Budget(), cancellationToken);
        return DurationRank.Of(result.Groups.Count > 0 ? result.Groups[0].Total.Durations : null, trace.DurationNano[row]);
    }
}

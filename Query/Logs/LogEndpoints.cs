using System.Text.Json;
using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Query.Spans;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Logs;

/// <summary>Counts by severity range, one entry a step.</summary>
internal sealed record SeveritySeries(long[] Fatal, long[] Error, long[] Warn, long[] Info, long[] Debug, long[] Trace, long[] Unspecified);

internal sealed record SeverityTotals(long Fatal, long Error, long Warn, long Info, long Debug, long Trace, long Unspecified);

internal sealed record LogHistogramAnswer(UnixNano StartUnixNano, long StepNano, int Steps, SeveritySeries Series, SeverityTotals Totals, ScanAnswer Scan);

/// <summary><c>logs…</c>: records, their histogram, their facets, and the live tail.</summary>
internal static class LogEndpoints
{
    private const int DefaultRecords = 100;
    private const int DefaultFacetValues = 10;

    /// <summary>Distinct severity numbers, and one for those out of range.</summary>
    private const int MaxSeverities = 64;

    private static readonly string[] s_ranges = ["fatal", "error", "warn", "info", "debug", "trace", "unspecified"];

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("logs", SearchAsync).WithName("SearchLogs").WithTags("Logs").WithSummary("Log records that match, by time").Produces<LogsShape>();
        api.MapGet("logs/histogram", HistogramAsync).WithName("GetLogHistogram").WithTags("Logs").WithSummary("Counts of the log records that match, by time and severity").Produces<LogHistogramAnswer>();
        api.MapGet("logs/facets", FacetsAsync).WithName("GetLogFacets").WithTags("Logs").WithSummary("The most frequent values of attributes among the log records that match").Produces<FacetsAnswer>();
        api.MapGet("logs/tail", TailAsync).WithName("TailLogs").WithTags("Logs").WithSummary("Log records as they arrive, as server-sent events").WithMetadata(new Unqueued())
            .Produces<string>(StatusCodes.Status200OK, "text/event-stream");
    }

    /// <summary>The filter and the free text box together.</summary>
    internal static Filter Filter(string? q, string? text)
    {
        var filter = Parameter.Filter(q, Signal.Logs);
        if (text is { Length: > FilterLimits.MaxTextChars })
        {
            throw new ParameterException("text", $"has {text.Length} characters; expected at most {FilterLimits.MaxTextChars}");
        }
        return string.IsNullOrEmpty(text) ? filter : Telemetry.Filters.Filter.And(filter, new ContainsFilter(Field.Of(Intrinsic.Body), text));
    }

    private static async Task<IResult> SearchAsync(
        ILogStore logs, QueryRunFactory runs, string? q, string? text, string? from, string? to, string? limit, string? order, string? traceId, string? spanId,
        string? cursor, string? count, CancellationToken cancellationToken)
    {
        var ascending = Parameter.Word(order, "order", "newest", "oldest") == "oldest";
        var trace = string.IsNullOrEmpty(traceId) ? (TraceId?)null : Parameter.TraceId(traceId, "traceId");
        var span = string.IsNullOrEmpty(spanId) ? (SpanId?)null : Parameter.SpanId(spanId);
        if (span is not null && trace is null)
        {
            throw new ParameterException("traceId", "is missing; expected the trace of 'spanId'");
        }
        // The records of a trace are few and indexed by it, so that without a range all of them are meant.
        var range = trace is not null && string.IsNullOrEmpty(from) && string.IsNullOrEmpty(to) ? TimeRange.All : TimeParameter.ReadRange(from, to, runs.NowUnixNano());
        var query = new LogQuery(
            Filter(q, text), range, Parameter.Limit(limit, DefaultRecords), trace, span, ascending, Cursor.ReadLog(cursor, ascending), Parameter.Flag(count, "count"));
        return Answer(await logs.SearchLogsAsync(query, runs.Begin().Budget(), cancellationToken), ascending);
    }

    internal static IResult Answer(LogSearchResult result, bool ascending) => new StreamedJson(writer => Write(writer, result, ascending), result.Records.SizeBytes);

    private static IEnumerable<bool> Write(Utf8JsonWriter writer, LogSearchResult result, bool ascending)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("records"u8);
        for (var row = 0; row < result.Records.Rows; row++)
        {
            LogJson.Write(writer, result.Records, row);
            yield return true;
        }
        writer.WriteEndArray();
        writer.WriteNumber("matched"u8, result.Matched);
        writer.WriteString("nextCursor"u8, result.Next is { } next ? Cursor.Format(next, ascending) : null);
        ScanAnswer.From(result.Scan).Write(writer);
        writer.WriteEndObject();
        yield return true;
    }

    private static async Task<IResult> HistogramAsync(
        ILogStore logs, QueryRunFactory runs, string? q, string? text, string? from, string? to, string? step, CancellationToken cancellationToken)
    {
        var range = TimeParameter.ReadRange(from, to, runs.NowUnixNano());
        var query = new AggregateQuery(Filter(q, text), range, Parameter.StepOrNice(step, range), [Field.Of(Intrinsic.Severity)], MaxSeverities, WithDurations: false);
        var result = await logs.AggregateAsync(query, runs.Begin().Budget(), cancellationToken);
        var series = s_ranges.ToDictionary(range => range, _ => new long[result.Steps]);
        var totals = s_ranges.ToDictionary(range => range, _ => 0L);
        foreach (var group in result.Groups)
        {
            var name = group.Key[0] is { Type: AttributeType.Int64 } number ? SeverityNumber.RangeName((int)Math.Clamp(number.Bits, 0, byte.MaxValue)) : "unspecified";
            totals[name] += group.Total.Count;
            for (var i = 0; i < group.Buckets.Length; i++)
            {
                series[name][i] += group.Buckets[i]?.Count ?? 0;
            }
        }
        var answer = new LogHistogramAnswer(
            new UnixNano(result.FirstStepUnixNano), result.StepNano, result.Steps,
            new SeveritySeries(series["fatal"], series["error"], series["warn"], series["info"], series["debug"], series["trace"], series["unspecified"]),
            new SeverityTotals(totals["fatal"], totals["error"], totals["warn"], totals["info"], totals["debug"], totals["trace"], totals["unspecified"]),
            ScanAnswer.From(result.Scan));
        return TypedResults.Json(answer, AnswerJson.Default.LogHistogramAnswer);
    }

    private static async Task<IResult> FacetsAsync(
        ILogStore logs, QueryRunFactory runs, string? q, string? text, string? from, string? to, string[]? field, string? limit, CancellationToken cancellationToken)
    {
        var query = new FacetQuery(
            Filter(q, text), TimeParameter.ReadRange(from, to, runs.NowUnixNano()),
            Parameter.Fields(field, Signal.Logs, "field", Parameter.MaxFacetFields), Parameter.Limit(limit, DefaultFacetValues));
        var result = await logs.GetFacetsAsync(query, runs.Begin().Budget(), cancellationToken);
        return TypedResults.Json(FacetsAnswer.From(result, Signal.Logs), AnswerJson.Default.FacetsAnswer);
    }

    private static IResult TailAsync(LogTail tail, string? q, string? text) => tail.Open(Filter(q, text));
}

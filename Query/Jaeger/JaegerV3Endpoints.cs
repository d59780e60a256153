using System.Text.Json;
using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Jaeger;

/// <summary>Jaeger's query API v3 over HTTP: OTLP's own shapes. Parameters are accepted in camelCase and in the older snake_case.</summary>
internal static class JaegerV3Endpoints
{
    public static void Map(IEndpointRouteBuilder jaeger)
    {
        jaeger.MapGet("/v3/services", ServicesAsync);
        jaeger.MapGet("/v3/operations", OperationsAsync);
        jaeger.MapGet("/v3/traces/{id}", GetAsync).WithMetadata(new Lookup());
        jaeger.MapGet("/v3/traces", SearchAsync);
        jaeger.MapGet("/v3/trace-summaries", SummariesAsync);
    }

    private static async Task<IResult> ServicesAsync(ISpanStore spans, QueryRunFactory runs, CancellationToken cancellationToken)
    {
        var services = await JaegerNames.ServicesAsync(spans, runs, cancellationToken);
        return new StreamedJson(writer =>
        {
            writer.WriteStartObject();
            writer.WritePropertyName("services"u8);
            JaegerEnvelope.WriteStrings(writer, services);
            writer.WriteEndObject();
        });
    }

    private static async Task<IResult> OperationsAsync(ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken cancellationToken)
    {
        var service = JaegerParameter.Text(request.Query, "service") ?? throw JaegerException.Invalid("parameter 'service' is required");
        var kind = JaegerParameter.Text(request.Query, "spanKind", "span_kind") is { } text ? JaegerParameter.Kind(text, "spanKind") : (SpanKind?)null;
        var operations = await JaegerNames.OperationsAsync(spans, runs, service, kind, cancellationToken);
        return new StreamedJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("operations"u8);
            foreach (var operation in operations)
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, operation.Name);
                writer.WriteString("spanKind"u8, operation.Kind == SpanKind.Unspecified ? "internal"u8 : JaegerTraceJson.KindName((byte)operation.Kind));
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static async Task<IResult> GetAsync(ISpanStore spans, QueryRunFactory runs, HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var traceId = JaegerParameter.TraceId(id, "trace_id");
        // A window is read and otherwise ignored, as Jaeger does: the id says all.
        CheckTime(request.Query, "startTime", "start_time");
        CheckTime(request.Query, "endTime", "end_time");
        _ = JaegerParameter.Flag(JaegerParameter.Text(request.Query, "rawTraces", "raw_traces"), "rawTraces");
        var trace = await spans.GetTraceAsync(traceId, runs.Begin().Budget(), cancellationToken);
        return trace.Spans.Rows > 0 ? Result([(traceId, trace)]) : throw new JaegerException(StatusCodes.Status404NotFound, "No traces found");
    }

    private static async Task<IResult> SearchAsync(ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken cancellationToken)
    {
        var run = runs.Begin();
        var found = await spans.SearchTracesAsync(ReadQuery(request.Query), run.Budget(), cancellationToken);
        return found.Traces.Count > 0
            ? Result(await JaegerEndpoints.FetchAsync(spans, run, found.Traces.Select(trace => trace.TraceId), cancellationToken))
            : throw new JaegerException(StatusCodes.Status404NotFound, "No traces found");
    }

    private static async Task<IResult> SummariesAsync(ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken cancellationToken)
    {
        var found = await spans.SearchTracesAsync(ReadQuery(request.Query), runs.Begin().Budget(), cancellationToken);
        return new StreamedJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("summaries"u8);
            foreach (var trace in found.Traces)
            {
                WriteSummary(writer, trace);
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static TraceQuery ReadQuery(IQueryCollection query)
    {
        var startText = JaegerParameter.Text(query, "query.startTimeMin", "query.start_time_min");
        var endText = JaegerParameter.Text(query, "query.startTimeMax", "query.start_time_max");
        if (startText is null || endText is null)
        {
            throw JaegerException.Invalid("query.startTimeMin and query.startTimeMax are required");
        }
        var start = JaegerParameter.Rfc3339ToNano(startText, "query.startTimeMin");
        var end = JaegerParameter.Rfc3339ToNano(endText, "query.startTimeMax");
        if (start >= end)
        {
            throw JaegerException.Invalid("query.startTimeMin must be before query.startTimeMax");
        }
        _ = JaegerParameter.Flag(JaegerParameter.Text(query, "query.rawTraces", "query.raw_traces"), "query.rawTraces");
        var min = JaegerParameter.DurationNano(JaegerParameter.Text(query, "query.durationMin", "query.duration_min"), "query.durationMin");
        var max = JaegerParameter.DurationNano(JaegerParameter.Text(query, "query.durationMax", "query.duration_max"), "query.durationMax");
        var depth = JaegerParameter.Limit(JaegerParameter.Text(query, "query.searchDepth", "query.search_depth") ?? JaegerParameter.Text(query, "query.numTraces", "query.num_traces"), "query.searchDepth");
        var filter = Filter.And([
            JaegerParameter.Text(query, "query.serviceName", "query.service_name") is { } service ? JaegerSearch.Service(service) : Filter.All,
            JaegerParameter.Text(query, "query.operationName", "query.operation_name") is { } operation ? JaegerSearch.Operation(operation) : Filter.All,
            JaegerSearch.Duration(min, max),
            .. JaegerParameter.Attributes(JaegerParameter.Text(query, "query.attributes"), "query.attributes"),
        ]);
        return new TraceQuery(filter, new TimeRange(start, end < long.MaxValue ? end + 1 : end), TraceOrder.Newest, depth);
    }

    private static void CheckTime(IQueryCollection query, string name, string older)
    {
        if (JaegerParameter.Text(query, name, older) is { } text)
        {
            _ = JaegerParameter.Rfc3339ToNano(text, name);
        }
    }

    private static StreamedJson Result(List<(TraceId Id, TraceFetch Trace)> traces) => new(writer => WritePieces(writer, traces), JaegerEndpoints.HeldBytes(traces));

    private static IEnumerable<bool> WritePieces(Utf8JsonWriter writer, List<(TraceId Id, TraceFetch Trace)> traces)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("result"u8);
        writer.WriteStartArray("resourceSpans"u8);
        foreach (var (_, trace) in traces)
        {
            foreach (var piece in TracesDataJson.WritePieces(writer, trace.Spans))
            {
                yield return piece;
            }
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
        yield return true;
    }

    private static string NameOf(string service) => service.Length > 0 ? service : JaegerSearch.MissingServiceName;

    private static void WriteSummary(Utf8JsonWriter writer, TraceSummary trace)
    {
        writer.WriteStartObject();
        TimeJson.WriteId(writer, "traceId"u8, trace.TraceId);
        writer.WriteString("rootServiceName"u8, NameOf(trace.RootServiceName));
        writer.WriteString("rootOperationName"u8, trace.RootName);
        TimeJson.WriteUnixNano(writer, "minStartTimeUnixNano"u8, trace.StartUnixNano);
        TimeJson.WriteUnixNano(writer, "maxEndTimeUnixNano"u8, trace.StartUnixNano + trace.DurationNano);
        writer.WriteNumber("spanCount"u8, trace.SpanCount);
        writer.WriteNumber("errorSpanCount"u8, trace.ErrorSpanCount);
        writer.WriteNumber("orphanSpanCount"u8, trace.OrphanSpanCount);
        writer.WriteStartArray("services"u8);
        foreach (var service in trace.Services)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, NameOf(service.ServiceName));
            writer.WriteNumber("spanCount"u8, service.SpanCount);
            writer.WriteNumber("errorSpanCount"u8, service.ErrorSpanCount);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}

using System.Text.Json;
using Apm.Query.Api;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Jaeger;

/// <summary>Jaeger's query API v1, as its UI, its clients and Grafana's data source call it (jaegertracing/jaeger v2.20, cmd/jaeger/internal/extension/jaegerquery).</summary>
internal static class JaegerEndpoints
{
    private const long DefaultLookbackNano = 2L * 86_400 * 1_000_000_000;

    /// <summary>Traces asked for by id in one request.</summary>
    private const int MaxTraceIds = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var jaeger = routes.MapGroup("/jaeger/api").AddEndpointFilter<JaegerEndpointFilter>().ExcludeFromDescription();
        jaeger.MapGet("/services", ServicesAsync);
        jaeger.MapGet("/services/{service}/operations", OperationNamesAsync);
        jaeger.MapGet("/operations", OperationsAsync);
        jaeger.MapGet("/traces", SearchAsync);
        jaeger.MapGet("/traces/{id}", GetAsync).WithMetadata(new Lookup());
        jaeger.MapPost("/archive/{id}", IResult (string id) => throw new JaegerException(StatusCodes.Status501NotImplemented, $"trace {JaegerParameter.TraceId(id)} cannot be archived: there is no archive storage"));
        JaegerDependencies.Map(jaeger);
        JaegerTransform.Map(jaeger);
        JaegerMetrics.Map(jaeger);
        JaegerV3Endpoints.Map(jaeger);
    }

    private static async Task<IResult> ServicesAsync(ISpanStore spans, QueryRunFactory runs, CancellationToken cancellationToken)
    {
        var services = await JaegerNames.ServicesAsync(spans, runs, cancellationToken);
        return Envelope(writer => JaegerEnvelope.WriteStrings(writer, services), services.Count);
    }

    private static async Task<IResult> OperationNamesAsync(ISpanStore spans, QueryRunFactory runs, HttpContext http, CancellationToken cancellationToken)
    {
        var service = ServiceInPath(http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        var operations = await JaegerNames.OperationsAsync(spans, runs, service, null, cancellationToken);
        var names = operations.Select(operation => operation.Name).Distinct().ToList();
        return names.Count == 0
            ? Envelope(writer => writer.WriteNullValue(), 0)
            : Envelope(writer => JaegerEnvelope.WriteStrings(writer, names), names.Count);
    }

    private static async Task<IResult> OperationsAsync(ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken cancellationToken)
    {
        var service = JaegerParameter.Text(request.Query, "service") ?? throw JaegerException.Invalid("parameter 'service' is required");
        var kind = JaegerParameter.Text(request.Query, "spanKind") is { } text ? JaegerParameter.Kind(text, "spanKind") : (SpanKind?)null;
        var operations = await JaegerNames.OperationsAsync(spans, runs, service, kind, cancellationToken);
        return Envelope(writer =>
        {
            writer.WriteStartArray();
            foreach (var operation in operations)
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, operation.Name);
                writer.WriteString("spanKind"u8, JaegerTraceJson.KindName((byte)operation.Kind));
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }, operations.Count);
    }

    private static async Task<IResult> SearchAsync(ISpanStore spans, QueryRunFactory runs, HttpRequest request, CancellationToken cancellationToken)
    {
        var query = request.Query;
        var raw = JaegerParameter.Flag(JaegerParameter.Text(query, "raw"), "raw");
        var run = runs.Begin();
        var wanted = query["traceID"].Where(id => !string.IsNullOrEmpty(id)).ToArray();
        if (wanted.Length > MaxTraceIds)
        {
            throw JaegerException.Invalid($"{wanted.Length} traces asked for; at most {MaxTraceIds}");
        }
        if (wanted.Length > 0)
        {
            return Traces(await FetchAsync(spans, run, wanted.Select(id => JaegerParameter.TraceId(id)).Distinct(), cancellationToken), raw);
        }
        var service = JaegerParameter.Text(query, "service") ?? throw JaegerException.Invalid("parameter 'service' is required");
        var min = JaegerParameter.DurationNano(JaegerParameter.Text(query, "minDuration"), "minDuration");
        var max = JaegerParameter.DurationNano(JaegerParameter.Text(query, "maxDuration"), "maxDuration");
        if (min > max)
        {
            throw JaegerException.Invalid("'maxDuration' should be greater than 'minDuration'");
        }
        var now = runs.NowUnixNano();
        var end = JaegerParameter.MicrosecondsToNano(JaegerParameter.Text(query, "end"), "end") ?? now;
        var start = JaegerParameter.MicrosecondsToNano(JaegerParameter.Text(query, "start"), "start") ?? end - DefaultLookbackNano;
        if (start > end)
        {
            throw JaegerException.Invalid("invalid parameter: start time must be before end time");
        }
        var filter = Filter.And([
            JaegerSearch.Service(service),
            JaegerParameter.Text(query, "operation") is { } operation ? JaegerSearch.Operation(operation) : Filter.All,
            JaegerSearch.Duration(min, max),
            .. JaegerParameter.Tags(query),
        ]);
        var limit = JaegerParameter.Limit(JaegerParameter.Text(query, "limit"), "limit");
        // Jaeger's window is inclusive at both ends, in microseconds.
        var found = await spans.SearchTracesAsync(new TraceQuery(filter, new TimeRange(start, end < long.MaxValue - 1000 ? end + 1000 : end), TraceOrder.Newest, limit), run.Budget(), cancellationToken);
        return Traces(await FetchAsync(spans, run, found.Traces.Select(trace => trace.TraceId), cancellationToken), raw);
    }

    private static async Task<IResult> GetAsync(ISpanStore spans, QueryRunFactory runs, HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var traceId = JaegerParameter.TraceId(id);
        var raw = JaegerParameter.Flag(JaegerParameter.Text(request.Query, "raw"), "raw");
        // A window is read and otherwise ignored, as Jaeger does: the id says all.
        _ = JaegerParameter.MicrosecondsToNano(JaegerParameter.Text(request.Query, "start"), "start");
        _ = JaegerParameter.MicrosecondsToNano(JaegerParameter.Text(request.Query, "end"), "end");
        var trace = await spans.GetTraceAsync(traceId, runs.Begin().Budget(), cancellationToken);
        return trace.Spans.Rows > 0 ? Traces([(traceId, trace)], raw) : throw new JaegerException(StatusCodes.Status404NotFound, "trace not found");
    }

    /// <summary>
    /// The service in <c>/services/{service}/operations</c>, from the path as it was sent: names may contain <c>/</c>, and the server's decoding leaves
    /// <c>%2F</c> as it is. A <c>+</c> is a space, as Jaeger reads it.
    /// </summary>
    internal static string ServiceInPath(string rawTarget)
    {
        const string before = "/services/";
        const string after = "/operations";
        var path = rawTarget.AsSpan();
        if (path.IndexOf('?') is var question and >= 0)
        {
            path = path[..question];
        }
        path = path.TrimEnd('/');
        var first = path.IndexOf(before, StringComparison.OrdinalIgnoreCase) + before.Length;
        return Uri.UnescapeDataString(path[first..^after.Length].ToString().Replace('+', ' '));
    }

    /// <summary>Whole traces; one that is not there has no spans. All together have as many spans as one may: beyond that each has one and is truncated.</summary>
    internal static async Task<List<(TraceId Id, TraceFetch Trace)>> FetchAsync(ISpanStore spans, QueryRun run, IEnumerable<TraceId> ids, CancellationToken cancellationToken)
    {
        var traces = new List<(TraceId, TraceFetch)>();
        long rows = 0;
        foreach (var id in ids)
        {
            var budget = run.Budget();
            var trace = await spans.GetTraceAsync(id, budget with { Rows = Math.Max(1, budget.Rows - rows) }, cancellationToken);
            rows += trace.Spans.Rows;
            traces.Add((id, trace));
        }
        return traces;
    }

    private static StreamedJson Traces(List<(TraceId Id, TraceFetch Trace)> traces, bool raw) => Traces(
        traces.Where(trace => trace.Trace.Spans.Rows > 0).Select(trace => new JaegerTrace(trace.Id, trace.Trace.Spans, Enumerable.Range(0, trace.Trace.Spans.Rows), trace.Trace.Truncated)), raw,
        [.. traces.Where(trace => trace.Trace.Spans.Rows == 0).Select(trace => (0, "trace not found", (string?)JaegerTraceJson.Id(trace.Id)))],
        HeldBytes(traces));

    internal static StreamedJson Traces(IEnumerable<JaegerTrace> traces, bool raw, IReadOnlyList<(int Code, string Message, string? TraceId)> errors, long heldBytes) =>
        new(writer => WritePieces(writer, traces, raw, errors), heldBytes);

    internal static long HeldBytes(List<(TraceId Id, TraceFetch Trace)> traces) => traces.Sum(static trace => trace.Trace.Spans.SizeBytes);

    private static IEnumerable<bool> WritePieces(Utf8JsonWriter writer, IEnumerable<JaegerTrace> traces, bool raw, IReadOnlyList<(int Code, string Message, string? TraceId)> errors)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("data"u8);
        foreach (var trace in traces)
        {
            foreach (var piece in JaegerTraceJson.WritePieces(writer, trace, raw))
            {
                yield return piece;
            }
        }
        writer.WriteEndArray();
        JaegerEnvelope.WriteEnd(writer, 0, errors);
        yield return true;
    }

    private static StreamedJson Envelope(Action<Utf8JsonWriter> data, int total) => new(writer => JaegerEnvelope.Write(writer, data, total));
}

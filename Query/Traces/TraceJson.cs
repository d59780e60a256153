using System.Text.Json;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Query.Traces;

/// <summary>A whole trace, and one span of it, as the API's JSON.</summary>
internal static class TraceJson
{
    public static IEnumerable<bool> Write(Utf8JsonWriter writer, TraceId traceId, TraceFetch trace)
    {
        var spans = trace.Spans;
        var (start, end) = Extent(spans);
        writer.WriteStartObject();
        TimeJson.WriteId(writer, "traceId"u8, traceId);
        TimeJson.WriteUnixNano(writer, "startUnixNano"u8, start);
        writer.WriteNumber("durationNano"u8, end - start);
        writer.WriteNumber("spanCount"u8, spans.Rows);
        writer.WriteBoolean("truncated"u8, trace.Truncated);
        writer.WriteStartArray("resources"u8);
        for (var resource = 0; resource < spans.ResourceAttributes.OwnerCount; resource++)
        {
            SpanJson.WriteResource(writer, spans, resource);
            yield return true;
        }
        writer.WriteEndArray();
        writer.WriteStartArray("scopes"u8);
        for (var scope = 0; scope < spans.ScopeName.Count; scope++)
        {
            SpanJson.WriteScope(writer, spans, scope);
            yield return true;
        }
        writer.WriteEndArray();
        writer.WriteStartArray("spans"u8);
        for (var row = 0; row < spans.Rows; row++)
        {
            writer.WriteStartObject();
            SpanJson.WriteMembers(writer, spans, row);
            writer.WriteNumber("resource"u8, spans.Resource[row]);
            writer.WriteNumber("scope"u8, spans.Scope[row]);
            writer.WriteEndObject();
            yield return true;
        }
        writer.WriteEndArray();
        if (trace.Scan.Plan is not null)
        {
            Json.ScanAnswer.From(trace.Scan).Write(writer);
        }
        writer.WriteEndObject();
        yield return true;
    }

    public static void WriteSpan(Utf8JsonWriter writer, ColumnBatch spans, int row, DurationRank rank)
    {
        writer.WriteStartObject();
        TimeJson.WriteId(writer, "traceId"u8, spans.TraceId[row]);
        SpanJson.WriteMembers(writer, spans, row);
        writer.WritePropertyName("resource"u8);
        SpanJson.WriteResource(writer, spans, spans.Resource[row]);
        writer.WritePropertyName("scope"u8);
        SpanJson.WriteScope(writer, spans, spans.Scope[row]);
        writer.WriteStartObject("durationRank"u8);
        writer.WriteNumber("count"u8, rank.Count);
        writer.WriteNumber("p50Nano"u8, rank.P50Nano);
        writer.WriteNumber("p95Nano"u8, rank.P95Nano);
        writer.WriteNumber("p99Nano"u8, rank.P99Nano);
        writer.WriteNumber("slowerThan"u8, rank.SlowerThan);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Earliest start and latest end.</summary>
    public static (long StartUnixNano, long EndUnixNano) Extent(ColumnBatch spans)
    {
        var start = long.MaxValue;
        var end = long.MinValue;
        for (var row = 0; row < spans.Rows; row++)
        {
            start = Math.Min(start, spans.TimeUnixNano[row]);
            end = Math.Max(end, spans.EndUnixNano(row));
        }
        return (start, Math.Max(start, end));
    }
}

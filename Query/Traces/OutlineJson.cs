using System.Text.Json;
using Apm.Query.Json;
using Apm.Storage.Columns;

namespace Apm.Query.Traces;

/// <summary>An outline as the API's JSON: columns rather than an object a span, so that 100,000 spans stay a few MB.</summary>
internal static class OutlineJson
{
    /// <summary>Values written between two looks at whether the buffer is full.</summary>
    private const int PieceValues = 4_096;

    public static IEnumerable<bool> Write(Utf8JsonWriter writer, TraceOutline outline)
    {
        writer.WriteStartObject();
        TimeJson.WriteId(writer, "traceId"u8, outline.TraceId);
        TimeJson.WriteUnixNano(writer, "startUnixNano"u8, outline.StartUnixNano);
        writer.WriteNumber("durationNano"u8, outline.DurationNano);
        writer.WriteNumber("spanCount"u8, outline.Tree.Count);
        writer.WriteNumber("errorCount"u8, outline.ErrorCount);
        writer.WriteBoolean("truncated"u8, outline.Truncated);
        WriteServices(writer, outline);
        writer.WriteStartArray("names"u8);
        foreach (var name in outline.Names.All)
        {
            writer.WriteStringValue(name);
            yield return true;
        }
        writer.WriteEndArray();
        writer.WriteStartObject("columns"u8);
        foreach (var piece in WriteColumns(writer, outline))
        {
            yield return piece;
        }
        writer.WriteEndObject();
        WriteCriticalPath(writer, outline);
        yield return true;
        WriteMissingParents(writer, outline);
        yield return true;
        foreach (var piece in WriteRepeated(writer, outline))
        {
            yield return piece;
        }
        WriteEnd(writer, outline);
        writer.WriteEndObject();
        yield return true;
    }

    private static void WriteServices(Utf8JsonWriter writer, TraceOutline outline)
    {
        writer.WriteStartArray("services"u8);
        foreach (var service in outline.Services)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, service.Name);
            writer.WriteNumber("spanCount"u8, service.SpanCount);
            writer.WriteNumber("errorCount"u8, service.ErrorCount);
            writer.WriteNumber("selfNano"u8, service.SelfNano);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static IEnumerable<bool> WriteColumns(Utf8JsonWriter writer, TraceOutline outline)
    {
        var spans = outline.Spans;
        var tree = outline.Tree;
        var source = tree.Source;
        var exceptionName = spans.Strings.Find("exception"u8);
        (string Name, Func<int, long> Value)[] columns =
        [
            ("parent", row => tree.Parent[row]),
            ("depth", row => tree.Depth[row]),
            ("service", row => outline.Service[row]),
            ("name", row => outline.Name[row]),
            ("kind", row => spans.Kind[source[row]] is var kind && kind <= 5 ? kind : 0),
            ("status", row => spans.Status[source[row]] is var status && status <= 2 ? status : 0),
            ("startNano", row => outline.StartNano[row]),
            ("durationNano", row => outline.SpanDurationNano[row]),
            ("selfNano", row => outline.SelfNano[row]),
            ("critical", row => outline.Critical[row] ? 1 : 0),
            ("events", row => Children(spans.EventEnd, source[row])),
            ("exceptions", row => Exceptions(spans, source[row], exceptionName)),
            ("links", row => Children(spans.LinkEnd, source[row])),
            ("logs", row => outline.Logs[row]),
            ("peer", row => outline.Peer[row]),
            ("detail", row => outline.Detail[row]),
        ];
        writer.WriteStartArray("spanId"u8);
        for (var row = 0; row < tree.Count; row++)
        {
            TimeJson.WriteValue(writer, spans.SpanId[source[row]]);
            if (row % PieceValues == PieceValues - 1)
            {
                yield return true;
            }
        }
        writer.WriteEndArray();
        foreach (var (name, value) in columns)
        {
            writer.WriteStartArray(name);
            for (var row = 0; row < tree.Count; row++)
            {
                writer.WriteNumberValue(value(row));
                if (row % PieceValues == PieceValues - 1)
                {
                    yield return true;
                }
            }
            writer.WriteEndArray();
            yield return true;
        }
    }

    private static int Children(Column<int> ends, int row) => ends[row] - (row == 0 ? 0 : ends[row - 1]);

    private static int Exceptions(ColumnBatch spans, int row, int exceptionName)
    {
        var count = 0;
        if (exceptionName > 0)
        {
            for (var i = row == 0 ? 0 : spans.EventEnd[row - 1]; i < spans.EventEnd[row]; i++)
            {
                count += spans.EventName[i] == exceptionName ? 1 : 0;
            }
        }
        return count;
    }

    private static void WriteCriticalPath(Utf8JsonWriter writer, TraceOutline outline)
    {
        writer.WriteStartArray("criticalPath"u8);
        foreach (var section in outline.Path)
        {
            writer.WriteStartObject();
            writer.WriteNumber("row"u8, section.Row);
            writer.WriteNumber("fromNano"u8, section.FromNano);
            writer.WriteNumber("toNano"u8, section.ToNano);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteMissingParents(Utf8JsonWriter writer, TraceOutline outline)
    {
        writer.WriteStartArray("missingParents"u8);
        foreach (var (row, parent) in outline.Tree.MissingParents)
        {
            writer.WriteStartObject();
            writer.WriteNumber("row"u8, row);
            TimeJson.WriteId(writer, "parentSpanId"u8, parent);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static IEnumerable<bool> WriteRepeated(Utf8JsonWriter writer, TraceOutline outline)
    {
        writer.WriteStartArray("repeated"u8);
        foreach (var calls in outline.Repeated)
        {
            writer.WriteStartObject();
            writer.WriteNumber("parentRow"u8, calls.ParentRow);
            writer.WriteStartArray("rows"u8);
            foreach (var row in calls.Rows)
            {
                writer.WriteNumberValue(row);
            }
            writer.WriteEndArray();
            writer.WriteString("name"u8, outline.Names.All[calls.Name]);
            writer.WriteString("service"u8, outline.Services[calls.Service].Name);
            writer.WriteNumber("count"u8, calls.Rows.Count);
            writer.WriteNumber("durationNano"u8, calls.DurationNano);
            writer.WriteEndObject();
            yield return true;
        }
        writer.WriteEndArray();
    }

    private static void WriteEnd(Utf8JsonWriter writer, TraceOutline outline)
    {
        writer.WriteStartObject("root"u8);
        writer.WriteString("service"u8, outline.Services[outline.Service[outline.Root]].Name);
        writer.WriteString("name"u8, outline.Names.All[outline.Name[outline.Root]]);
        writer.WriteString("status"u8, SpanJson.Status((byte)outline.Status(outline.Root)));
        if (outline.RootHttpStatusCode is { } code)
        {
            writer.WriteNumber("httpStatusCode"u8, code);
        }
        else
        {
            writer.WriteNull("httpStatusCode"u8);
        }
        writer.WriteEndObject();
        if (outline.Headline is { } headline)
        {
            writer.WriteStartObject("headline"u8);
            writer.WriteNumber("share"u8, headline.Share);
            writer.WriteNumber("durationNano"u8, headline.DurationNano);
            writer.WriteNumber("calls"u8, headline.Calls);
            writer.WriteString("service"u8, headline.Service);
            writer.WriteString("peer"u8, headline.Peer);
            writer.WriteString("name"u8, headline.Name);
            writer.WriteString("kind"u8, headline.Waits ? "waits" : "works");
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNull("headline"u8);
        }
        writer.WriteStartArray("warnings"u8);
        foreach (var warning in outline.Warnings)
        {
            writer.WriteStringValue(warning);
        }
        writer.WriteEndArray();
    }
}

using System.Globalization;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Tests.Columns;

/// <summary>A column batch as text, one line a row and its parts, for comparing with what is expected.</summary>
internal static class BatchText
{
    public static string Of(ColumnBatch batch)
    {
        var text = new StringBuilder();
        for (var row = 0; row < batch.Rows; row++)
        {
            var resource = batch.Resource[row];
            var scope = batch.Scope[row];
            text.Append(CultureInfo.InvariantCulture, $"resource [{Attributes(batch, batch.ResourceAttributes, resource)}] dropped {batch.ResourceDroppedAttributesCount[resource]} schema '{Text(batch, batch.ResourceSchemaUrl[resource])}'\n");
            text.Append(CultureInfo.InvariantCulture, $"scope '{Text(batch, batch.ScopeName[scope])}' '{Text(batch, batch.ScopeVersion[scope])}' [{Attributes(batch, batch.ScopeAttributes, scope)}] dropped {batch.ScopeDroppedAttributesCount[scope]} schema '{Text(batch, batch.ScopeSchemaUrl[scope])}'\n");
            if (batch.Signal == Signal.Traces)
            {
                AppendSpan(text, batch, row);
            }
            else
            {
                AppendLogRecord(text, batch, row);
            }
        }
        return text.ToString();
    }

    private static void AppendSpan(StringBuilder text, ColumnBatch batch, int row)
    {
        text.Append(CultureInfo.InvariantCulture,
            $"span {batch.TraceId[row]} {batch.SpanId[row]} parent {batch.ParentSpanId[row]} state '{Text(batch, batch.TraceState[row])}' '{Text(batch, batch.Name[row])}' {(SpanKind)batch.Kind[row]} start {batch.TimeUnixNano[row]} duration {batch.DurationNano[row]} flags {batch.Flags[row]} {(StatusCode)batch.Status[row]} '{Text(batch, batch.StatusMessage[row])}' [{Attributes(batch, batch.Attributes, row)}] dropped {batch.DroppedAttributesCount[row]} {batch.DroppedEventsCount[row]} {batch.DroppedLinksCount[row]}\n");
        for (var i = row == 0 ? 0 : batch.EventEnd[row - 1]; i < batch.EventEnd[row]; i++)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"  event {batch.EventTimeUnixNano[i]} '{Text(batch, batch.EventName[i])}' [{Attributes(batch, batch.EventAttributes, i)}] dropped {batch.EventDroppedAttributesCount[i]}\n");
        }
        for (var i = row == 0 ? 0 : batch.LinkEnd[row - 1]; i < batch.LinkEnd[row]; i++)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"  link {batch.LinkTraceId[i]} {batch.LinkSpanId[i]} state '{Text(batch, batch.LinkTraceState[i])}' flags {batch.LinkFlags[i]} [{Attributes(batch, batch.LinkAttributes, i)}] dropped {batch.LinkDroppedAttributesCount[i]}\n");
        }
    }

    private static void AppendLogRecord(StringBuilder text, ColumnBatch batch, int row)
    {
        var body = batch.BodyType[row] is AttributeType.Empty or AttributeType.Bool or AttributeType.Int64 or AttributeType.Double
            ? AttributeValue.FromBits(batch.BodyType[row], batch.BodyBits[row])
            : AttributeValue.FromContent(batch.BodyType[row], batch.Strings[(int)batch.BodyBits[row]]);
        text.Append(CultureInfo.InvariantCulture,
            $"log {batch.TimeUnixNano[row]} observed {batch.ObservedTimeUnixNano[row]} trace {batch.TraceId[row]} {batch.SpanId[row]} {batch.SeverityNumber[row]} '{Text(batch, batch.SeverityText[row])}' event '{Text(batch, batch.Name[row])}' flags {batch.Flags[row]} body {body.Type} {body} [{Attributes(batch, batch.Attributes, row)}] dropped {batch.DroppedAttributesCount[row]}\n");
    }

    public static string Attributes(ColumnBatch batch, AttributeTable table, int owner)
    {
        var pairs = new List<string>();
        for (var entry = table.Start(owner); entry < table.Start(owner + 1); entry++)
        {
            var value = table.GetValue(entry, batch.Strings);
            pairs.Add($"{batch.Strings.GetString(table.Keys[entry])}={value.Type}:{value}");
        }
        return string.Join(", ", pairs);
    }

    private static string Text(ColumnBatch batch, int code) => batch.Strings.GetString(code);
}

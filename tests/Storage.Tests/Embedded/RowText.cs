using System.Globalization;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Tests.Embedded;

/// <summary>Everything a row holds, as one line of text: two batches are alike when their rows' texts are.</summary>
internal static class RowText
{
    public static string[] Of(ColumnBatch batch)
    {
        var rows = new string[batch.Rows];
        for (var row = 0; row < rows.Length; row++)
        {
            rows[row] = Of(batch, row);
        }
        return rows;
    }

    public static string Of(ColumnBatch batch, int row)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{batch.TraceId[row]}/{batch.SpanId[row]} t={batch.TimeUnixNano[row]} ");
        text.Append(CultureInfo.InvariantCulture, $"name={Raw(batch, batch.Name[row])} flags={batch.Flags[row]} dropped={batch.DroppedAttributesCount[row]} ");
        Attributes(text, batch, batch.Attributes, row);
        var resource = batch.Resource[row];
        text.Append(CultureInfo.InvariantCulture, $" resource({Raw(batch, batch.ResourceSchemaUrl[resource])},{batch.ResourceDroppedAttributesCount[resource]})");
        Attributes(text, batch, batch.ResourceAttributes, resource);
        var scope = batch.Scope[row];
        text.Append(CultureInfo.InvariantCulture, $" scope({Raw(batch, batch.ScopeName[scope])},{Raw(batch, batch.ScopeVersion[scope])},{Raw(batch, batch.ScopeSchemaUrl[scope])},{batch.ScopeDroppedAttributesCount[scope]})");
        Attributes(text, batch, batch.ScopeAttributes, scope);
        if (batch.Signal == Signal.Traces)
        {
            Span(text, batch, row);
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $" observed={batch.ObservedTimeUnixNano[row]} severity={batch.SeverityNumber[row]},{Raw(batch, batch.SeverityText[row])} body=");
            Value(text, batch, (byte)batch.BodyType[row], batch.BodyBits[row], batch.BodyType[row].HasContent());
        }
        return text.ToString();
    }

    private static void Span(StringBuilder text, ColumnBatch batch, int row)
    {
        text.Append(CultureInfo.InvariantCulture, $" parent={batch.ParentSpanId[row]} duration={batch.DurationNano[row]} kind={batch.Kind[row]} status={batch.Status[row]},{Raw(batch, batch.StatusMessage[row])}");
        text.Append(CultureInfo.InvariantCulture, $" state={Raw(batch, batch.TraceState[row])} dropped={batch.DroppedEventsCount[row]},{batch.DroppedLinksCount[row]} events[");
        for (var i = row == 0 ? 0 : batch.EventEnd[row - 1]; i < batch.EventEnd[row]; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Raw(batch, batch.EventName[i])}@{batch.EventTimeUnixNano[i]} dropped={batch.EventDroppedAttributesCount[i]} ");
            Attributes(text, batch, batch.EventAttributes, i);
        }
        text.Append("] links[");
        for (var i = row == 0 ? 0 : batch.LinkEnd[row - 1]; i < batch.LinkEnd[row]; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{batch.LinkTraceId[i]}/{batch.LinkSpanId[i]} state={Raw(batch, batch.LinkTraceState[i])} flags={batch.LinkFlags[i]} dropped={batch.LinkDroppedAttributesCount[i]} ");
            Attributes(text, batch, batch.LinkAttributes, i);
        }
        text.Append(']');
    }

    private static void Attributes(StringBuilder text, ColumnBatch batch, AttributeTable table, int owner)
    {
        text.Append('{');
        for (var entry = table.Start(owner); entry < table.Start(owner + 1); entry++)
        {
            text.Append(Raw(batch, table.Keys[entry])).Append('=');
            Value(text, batch, (byte)table.Types[entry], table.Bits[entry], table.Types[entry].HasContent());
            text.Append(',');
        }
        text.Append('}');
    }

    private static void Value(StringBuilder text, ColumnBatch batch, byte type, long bits, bool content) =>
        text.Append(CultureInfo.InvariantCulture, $"{type}:{(content ? Raw(batch, (int)bits) : bits.ToString("x", CultureInfo.InvariantCulture))}");

    /// <summary>The bytes, each as one character: also what is no UTF-8 shows.</summary>
    private static string Raw(ColumnBatch batch, int code) => Encoding.Latin1.GetString(batch.Strings[code]);
}

using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Apm.Storage;
using Apm.Telemetry;

namespace Apm.Query.Api;

/// <summary>Cursors as clients hold them: opaque text that says where a page ended and in which order.</summary>
internal static class Cursor
{
    public static string Format(TraceCursor cursor, TraceOrder order) => Encode(string.Create(CultureInfo.InvariantCulture, $"{OrderLetter(order)}.{cursor.Key}.{cursor.TraceId}"));

    public static string Format(LogCursor cursor, bool ascending) => Encode(string.Create(CultureInfo.InvariantCulture, $"{(ascending ? 'a' : 'd')}.{cursor.TimeUnixNano}.{cursor.Skip}"));

    public static TraceCursor? ReadTrace(string? text, TraceOrder order)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        var parts = Decode(text);
        return parts.Length == 3 && parts[0] == OrderLetter(order)
            && long.TryParse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key) && TraceId.TryParse(parts[2], out var id)
            ? new TraceCursor(key, id)
            : throw Wrong();
    }

    public static LogCursor? ReadLog(string? text, bool ascending)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        var parts = Decode(text);
        return parts.Length == 3 && parts[0] == (ascending ? "a" : "d")
            && long.TryParse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time)
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var skip) && skip <= LogCursor.MaxSkip
            ? new LogCursor(time, skip)
            : throw Wrong();
    }

    private static string OrderLetter(TraceOrder order) => order == TraceOrder.Newest ? "n" : "s";

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.ASCII.GetBytes(text));

    private static string[] Decode(string text)
    {
        var bytes = new byte[text.Length];
        return text.Length <= 200 && Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, bytes, out var length)
            ? Encoding.ASCII.GetString(bytes, 0, length).Split('.')
            : [];
    }

    private static ParameterException Wrong() => new("cursor", "is not the nextCursor of an earlier page in this order");
}

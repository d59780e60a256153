using System.Globalization;
using System.Text;

namespace Apm.Telemetry.Otlp;

/// <summary>The text of JSON strings. Unlike the framework's it takes half a surrogate pair, which JavaScript writes when it cuts a string, as U+FFFD.</summary>
internal static class JsonText
{
    /// <param name="escaped">The string between its quotes, well-formed as the JSON reader saw it.</param>
    /// <param name="target">At least as long as <paramref name="escaped"/>.</param>
    /// <returns>Bytes written: never more than were read.</returns>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> target)
    {
        var written = 0;
        while (true)
        {
            var plain = escaped.IndexOf((byte)'\\');
            if (plain < 0)
            {
                escaped.CopyTo(target[written..]);
                return written + escaped.Length;
            }
            escaped[..plain].CopyTo(target[written..]);
            written += plain;
            var kind = escaped[plain + 1];
            if (kind == 'u')
            {
                written += UnescapeUnit(ref escaped, plain, target[written..]);
                continue;
            }
            target[written++] = kind switch
            {
                (byte)'n' => (byte)'\n',
                (byte)'t' => (byte)'\t',
                (byte)'r' => (byte)'\r',
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                _ => kind,
            };
            escaped = escaped[(plain + 2)..];
        }
    }

    private static int UnescapeUnit(ref ReadOnlySpan<byte> escaped, int at, Span<byte> target)
    {
        var first = CodeUnit(escaped[(at + 2)..]);
        escaped = escaped[(at + 6)..];
        if (char.IsHighSurrogate(first) && escaped.StartsWith("\\u"u8))
        {
            var second = CodeUnit(escaped[2..]);
            if (char.IsLowSurrogate(second))
            {
                escaped = escaped[6..];
                return new Rune(first, second).EncodeToUtf8(target);
            }
        }
        return (Rune.TryCreate(first, out var rune) ? rune : Rune.ReplacementChar).EncodeToUtf8(target);
    }

    private static char CodeUnit(ReadOnlySpan<byte> fourDigits) =>
        (char)ushort.Parse(fourDigits[..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}

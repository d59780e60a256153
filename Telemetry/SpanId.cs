using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Apm.Telemetry;

/// <summary>A span id: 8 bytes, big-endian as on the wire (W3C Trace Context).</summary>
public readonly record struct SpanId(ulong Value) : IComparable<SpanId>
{
    public const int SizeBytes = 8;

    /// <summary>All zero: "no parent" in a parent id, "no span" on a log record; never a valid id of a span.</summary>
    public bool IsZero => Value == 0;

    /// <param name="bytes">Exactly <see cref="SizeBytes"/> bytes; otherwise false.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SpanId id)
    {
        if (bytes.Length != SizeBytes)
        {
            id = default;
            return false;
        }
        id = new SpanId(BinaryPrimitives.ReadUInt64BigEndian(bytes));
        return true;
    }

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Value);

    /// <summary>Parses 1 to 16 hexadecimal digits of either case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SpanId id)
    {
        id = default;
        if (text is null || text.Length is 0 or > 16)
        {
            return false;
        }
        if (!ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }
        id = new SpanId(value);
        return true;
    }

    public int CompareTo(SpanId other) => Value.CompareTo(other.Value);

    /// <summary>16 lower-case hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}

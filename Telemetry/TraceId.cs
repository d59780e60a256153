using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Apm.Telemetry;

/// <summary>A trace id: 16 bytes, big-endian as on the wire; hexadecimal only at the edges (W3C Trace Context).</summary>
/// <param name="High">The first 8 bytes.</param>
/// <param name="Low">The last 8 bytes.</param>
public readonly record struct TraceId(ulong High, ulong Low) : IComparable<TraceId>
{
    public const int SizeBytes = 16;

    /// <summary>All zero: not a valid id of a trace; on a log record it means "in no trace".</summary>
    public bool IsZero => (High | Low) == 0;

    /// <param name="bytes">Exactly <see cref="SizeBytes"/> bytes; otherwise false.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out TraceId id)
    {
        if (bytes.Length != SizeBytes)
        {
            id = default;
            return false;
        }
        id = new TraceId(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        return true;
    }

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
    }

    /// <summary>Parses 1 to 32 hexadecimal digits of either case; fewer than 32 are padded with zeros on the left, as Jaeger and Zipkin print them.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TraceId id)
    {
        id = default;
        if (text is null || text.Length is 0 or > 32)
        {
            return false;
        }
        if (!UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }
        id = new TraceId((ulong)(value >> 64), (ulong)value);
        return true;
    }

    public int CompareTo(TraceId other)
    {
        var high = High.CompareTo(other.High);
        return high != 0 ? high : Low.CompareTo(other.Low);
    }

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");

    public override int GetHashCode() => (High ^ (Low * 0x9E3779B97F4A7C15UL)).GetHashCode();
}

using System.Globalization;
using System.Text;

namespace Apm.Telemetry.Attributes;

/// <summary>
/// One attribute value of any OTLP type, for the edges: filter literals, facet values, JSON. Rows in a column batch do not use it.
/// Equality is by type and content (a double NaN equals itself). Immutable.
/// </summary>
public readonly struct AttributeValue : IEquatable<AttributeValue>
{
    private readonly byte[]? _bytes;

    private AttributeValue(AttributeType type, long bits, byte[]? bytes)
    {
        Type = type;
        Bits = bits;
        _bytes = bytes;
    }

    public AttributeType Type { get; }

    /// <summary>Int64: the value. Double: its IEEE bits. Bool: 0 or 1. Otherwise 0.</summary>
    public long Bits { get; }

    /// <summary>String: UTF-8. Bytes: the content. Array and KeyValueList: the raw AnyValue message. Otherwise empty.</summary>
    public ReadOnlySpan<byte> Content => _bytes;

    public static AttributeValue Empty => default;

    public static AttributeValue FromString(string value) => new(AttributeType.String, 0, Encoding.UTF8.GetBytes(value));

    public static AttributeValue FromInt64(long value) => new(AttributeType.Int64, value, null);

    public static AttributeValue FromDouble(double value) => new(AttributeType.Double, BitConverter.DoubleToInt64Bits(value), null);

    public static AttributeValue FromBool(bool value) => new(AttributeType.Bool, value ? 1 : 0, null);

    /// <param name="type">String, Bytes, Array or KeyValueList.</param>
    /// <param name="content">Copied.</param>
    public static AttributeValue FromContent(AttributeType type, ReadOnlySpan<byte> content)
    {
        if (type is not (AttributeType.String or AttributeType.Bytes or AttributeType.Array or AttributeType.KeyValueList))
        {
            throw new ArgumentOutOfRangeException(nameof(type), type, "only String, Bytes, Array and KeyValueList have content");
        }
        return new(type, 0, content.ToArray());
    }

    /// <param name="type">Empty, Bool, Int64 or Double.</param>
    /// <param name="bits">As in <see cref="Bits"/>.</param>
    public static AttributeValue FromBits(AttributeType type, long bits)
    {
        if (type is not (AttributeType.Empty or AttributeType.Bool or AttributeType.Int64 or AttributeType.Double))
        {
            throw new ArgumentOutOfRangeException(nameof(type), type, "only Empty, Bool, Int64 and Double have bits");
        }
        return new(type, bits, null);
    }

    public long AsInt64() => Bits;

    public double AsDouble() => Type == AttributeType.Int64 ? Bits : BitConverter.Int64BitsToDouble(Bits);

    public bool AsBool() => Bits != 0;

    /// <summary>The text of a String (invalid UTF-8 shows as U+FFFD); throws for another type.</summary>
    public string AsString() => Type == AttributeType.String
        ? Encoding.UTF8.GetString(_bytes!)
        : throw new InvalidOperationException($"the value is {Type}, not String");

    /// <summary>
    /// The value as people and Jaeger's search compare it: strings as they are, numbers in invariant culture, true/false, bytes as base64,
    /// arrays and key-value lists as compact JSON, Empty as "".
    /// </summary>
    public override string ToString() => Type switch
    {
        AttributeType.Empty => "",
        AttributeType.String => AsString(),
        AttributeType.Bool => Bits != 0 ? "true" : "false",
        AttributeType.Int64 => Bits.ToString(CultureInfo.InvariantCulture),
        AttributeType.Double => AsDouble().ToString("R", CultureInfo.InvariantCulture),
        AttributeType.Bytes => Convert.ToBase64String(_bytes!),
        _ => AttributeJson.ToJson(this),
    };

    public bool Equals(AttributeValue other) => Type == other.Type && Bits == other.Bits && Content.SequenceEqual(other.Content);

    public override bool Equals(object? obj) => obj is AttributeValue other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add((byte)Type);
        hash.Add(Bits);
        hash.AddBytes(Content);
        return hash.ToHashCode();
    }

    public static bool operator ==(AttributeValue left, AttributeValue right) => left.Equals(right);

    public static bool operator !=(AttributeValue left, AttributeValue right) => !left.Equals(right);
}

using Apm.Telemetry.Attributes;

namespace Apm.Telemetry.Otlp;

/// <summary>One AnyValue message { 1 string 2 bool 3 int64 4 double 5 array 6 kvlist 7 bytes }, read without allocating. Of several cases set, the last counts.</summary>
public readonly ref struct AnyValue
{
    private const ulong KnownFields = 0b1111_1110;

    private AnyValue(AttributeType type, long bits, ReadOnlySpan<byte> content)
    {
        Type = type;
        Bits = bits;
        Content = content;
    }

    public AttributeType Type { get; }

    /// <summary>As <see cref="AttributeValue.Bits"/>.</summary>
    public long Bits { get; }

    /// <summary>As <see cref="AttributeValue.Content"/>: of an array or a key-value list the whole AnyValue message.</summary>
    public ReadOnlySpan<byte> Content { get; }

    /// <summary>The AnyValue messages of an array, or the KeyValue messages of a key-value list; nothing for another type.</summary>
    public NestedMessages Nested => new(Type switch
    {
        AttributeType.Array => LastField(Content, 5 << 3 | 2),
        AttributeType.KeyValueList => LastField(Content, 6 << 3 | 2),
        _ => default,
    });

    /// <exception cref="MalformedOtlpException">Not an AnyValue. What is nested is not looked at.</exception>
    public static AnyValue Read(ReadOnlySpan<byte> message)
    {
        var value = default(AnyValue);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3 | 2:
                    value = new(AttributeType.String, 0, reader.ReadBytes());
                    break;
                case 2 << 3 | 0:
                    value = new(AttributeType.Bool, reader.ReadVarint() != 0 ? 1 : 0, default);
                    break;
                case 3 << 3 | 0:
                    value = new(AttributeType.Int64, (long)reader.ReadVarint(), default);
                    break;
                case 4 << 3 | 1:
                    value = new(AttributeType.Double, (long)reader.ReadFixed64(), default);
                    break;
                case 5 << 3 | 2:
                    reader.ReadBytes();
                    value = new(AttributeType.Array, 0, message);
                    break;
                case 6 << 3 | 2:
                    reader.ReadBytes();
                    value = new(AttributeType.KeyValueList, 0, message);
                    break;
                case 7 << 3 | 2:
                    value = new(AttributeType.Bytes, 0, reader.ReadBytes());
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        return value;
    }

    private static ReadOnlySpan<byte> LastField(ReadOnlySpan<byte> message, uint wanted)
    {
        var field = default(ReadOnlySpan<byte>);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == wanted)
            {
                field = reader.ReadBytes();
            }
            else
            {
                reader.Skip(tag);
            }
        }
        return field;
    }

    /// <summary>Reads the message and looks at everything nested in it, down to <see cref="OtlpLimits.MaxDepth"/>.</summary>
    /// <param name="rejection">When it is not none, the value means nothing.</param>
    /// <exception cref="MalformedOtlpException">Not an AnyValue.</exception>
    internal static AnyValue ReadWhole(ReadOnlySpan<byte> message, int depth, out Rejection rejection)
    {
        rejection = default;
        // Most are short strings.
        if (message.Length is > 1 and < 0x82 && message[0] == (1 << 3 | 2) && message[1] == message.Length - 2)
        {
            return depth > OtlpLimits.MaxDepth ? TooDeep(depth, out rejection) : new(AttributeType.String, 0, message[2..]);
        }
        return ReadAny(message, depth, out rejection);
    }

    private static AnyValue TooDeep(int depth, out Rejection rejection)
    {
        rejection = new(RejectionReason.NestingTooDeep, (ulong)depth);
        return default;
    }

    private static AnyValue ReadAny(ReadOnlySpan<byte> message, int depth, out Rejection rejection)
    {
        if (depth > OtlpLimits.MaxDepth)
        {
            return TooDeep(depth, out rejection);
        }
        rejection = default;
        var value = default(AnyValue);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3 | 2:
                    value = new(AttributeType.String, 0, reader.ReadBytes());
                    break;
                case 2 << 3 | 0:
                    value = new(AttributeType.Bool, reader.ReadVarint() != 0 ? 1 : 0, default);
                    break;
                case 3 << 3 | 0:
                    value = new(AttributeType.Int64, (long)reader.ReadVarint(), default);
                    break;
                case 4 << 3 | 1:
                    value = new(AttributeType.Double, (long)reader.ReadFixed64(), default);
                    break;
                case 5 << 3 | 2:
                    Keep(ref rejection, VerifyArray(reader.ReadBytes(), depth));
                    value = new(AttributeType.Array, 0, message);
                    break;
                case 6 << 3 | 2:
                    Keep(ref rejection, VerifyList(reader.ReadBytes(), depth));
                    value = new(AttributeType.KeyValueList, 0, message);
                    break;
                case 7 << 3 | 2:
                    value = new(AttributeType.Bytes, 0, reader.ReadBytes());
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        return value;
    }

    private static Rejection VerifyArray(ReadOnlySpan<byte> message, int depth)
    {
        var rejection = default(Rejection);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == (1 << 3 | 2))
            {
                ReadWhole(reader.ReadBytes(), depth + 1, out var next);
                Keep(ref rejection, next);
            }
            else
            {
                reader.SkipUnknown(tag, 1UL << 1);
            }
        }
        return rejection;
    }

    private static Rejection VerifyList(ReadOnlySpan<byte> message, int depth)
    {
        var rejection = default(Rejection);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == (1 << 3 | 2))
            {
                KeyValue.ReadWhole(reader.ReadBytes(), depth + 1, out _, out var next);
                Keep(ref rejection, next);
            }
            else
            {
                reader.SkipUnknown(tag, 1UL << 1);
            }
        }
        return rejection;
    }

    private static void Keep(ref Rejection first, Rejection next)
    {
        if (first.IsNone)
        {
            first = next;
        }
    }
}

namespace Apm.Telemetry.Otlp;

/// <summary>One KeyValue message { 1 key, 2 value }, read without allocating.</summary>
public readonly ref struct KeyValue
{
    private const ulong KnownFields = 1UL << 1 | 1UL << 2;

    /// <summary>Tag and length of a short key, tag and length of a short value.</summary>
    private const int ShortFrameBytes = 4;

    private KeyValue(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Key = key;
        Value = value;
    }

    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The AnyValue message; empty when there is none, which is an empty AnyValue too.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <exception cref="MalformedOtlpException">Not a KeyValue.</exception>
    public static KeyValue Read(ReadOnlySpan<byte> message)
    {
        // Nearly all are a key and then a value, each shorter than 128 bytes, whose length is one byte.
        if (message.Length > 1 && message[0] == (1 << 3 | 2) && message[1] is var keyBytes && keyBytes < 0x80 && keyBytes + ShortFrameBytes <= message.Length)
        {
            var value = message[(keyBytes + 2)..];
            if (value[0] == (2 << 3 | 2) && value[1] == value.Length - 2 && value[1] < 0x80)
            {
                return new(message.Slice(2, keyBytes), value[2..]);
            }
        }
        return ReadAny(message);
    }

    private static KeyValue ReadAny(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> key = default;
        ReadOnlySpan<byte> value = default;
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3 | 2:
                    key = reader.ReadBytes();
                    break;
                case 2 << 3 | 2:
                    value = reader.ReadBytes();
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        return new(key, value);
    }

    /// <summary>Reads the message and looks at everything nested in it.</summary>
    /// <param name="depth">That of the value.</param>
    /// <exception cref="MalformedOtlpException">Not a KeyValue.</exception>
    internal static KeyValue ReadWhole(ReadOnlySpan<byte> message, int depth, out AnyValue value, out Rejection rejection)
    {
        var pair = Read(message);
        value = AnyValue.ReadWhole(pair.Value, depth, out rejection);
        if (pair.Key.Length > OtlpLimits.MaxKeyBytes)
        {
            rejection = new(RejectionReason.KeyTooLong, (ulong)pair.Key.Length);
        }
        else if (pair.Value.Length > OtlpLimits.MaxValueBytes)
        {
            rejection = new(RejectionReason.ValueTooLarge, (ulong)pair.Value.Length);
        }
        return pair;
    }
}

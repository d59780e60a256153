namespace Apm.Telemetry.Otlp;

/// <summary>One KeyValue message { 1 key, 2 value }, read without allocating.</summary>
public readonly ref struct KeyValue
{
    private const ulong KnownFields = 1UL << 1 | 1UL << 2;

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

    /// <summary>Looks at the message and everything nested in it.</summary>
    /// <param name="depth">That of the value.</param>
    /// <exception cref="MalformedOtlpException">Not a KeyValue.</exception>
    internal static Rejection Verify(ReadOnlySpan<byte> message, int depth)
    {
        var pair = Read(message);
        var rejection = AnyValue.Verify(pair.Value, depth);
        if (pair.Key.Length > OtlpLimits.MaxKeyBytes)
        {
            return new(RejectionReason.KeyTooLong, (ulong)pair.Key.Length);
        }
        return pair.Value.Length > OtlpLimits.MaxValueBytes ? new(RejectionReason.ValueTooLarge, (ulong)pair.Value.Length) : rejection;
    }
}

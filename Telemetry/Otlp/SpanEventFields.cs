namespace Apm.Telemetry.Otlp;

/// <summary>The fields of one Span.Event message { 1 time, 2 name, 3 attributes, 4 dropped_attributes_count }.</summary>
public ref struct SpanEventFields
{
    private const uint AttributeTag = 3 << 3 | 2;
    private const ulong KnownFields = 0b1_1110;

    public ulong TimeUnixNano { get; private set; }

    public ReadOnlySpan<byte> Name { get; private set; }

    public uint DroppedAttributesCount { get; private set; }

    /// <summary>Reads the event and looks at every byte of it; the sink gets its attributes.</summary>
    /// <exception cref="MalformedOtlpException">Not an Event.</exception>
    internal static Rejection Read<TSink>(ReadOnlySpan<byte> message, scoped ref TSink sink, out SpanEventFields fields)
        where TSink : struct, IItemSink, allows ref struct
    {
        fields = default;
        var attributes = default(ItemVerdict);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3 | 1:
                    fields.TimeUnixNano = reader.ReadFixed64();
                    break;
                case 2 << 3 | 2:
                    fields.Name = reader.ReadBytes();
                    break;
                case 4 << 3 | 0:
                    fields.DroppedAttributesCount = (uint)reader.ReadVarint();
                    break;
                case AttributeTag:
                    var key = attributes.Attribute(reader.ReadBytes(), out var value);
                    sink.EventAttribute(key, in value);
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        var verdict = default(ItemVerdict);
        verdict.Time(fields.TimeUnixNano);
        verdict.Name(fields.Name);
        verdict.Add(attributes.Rejection);
        return verdict.Rejection;
    }
}

namespace Apm.Telemetry.Otlp;

/// <summary>The fields of one Span.Event message { 1 time, 2 name, 3 attributes, 4 dropped_attributes_count }.</summary>
public ref struct SpanEventFields
{
    public const uint AttributeTag = 3 << 3 | 2;
    private const ulong KnownFields = 0b1_1110;

    public ReadOnlySpan<byte> Message { get; private set; }

    public ulong TimeUnixNano { get; private set; }

    public ReadOnlySpan<byte> Name { get; private set; }

    public uint DroppedAttributesCount { get; private set; }

    /// <exception cref="MalformedOtlpException">Not an Event. The attributes are not looked at.</exception>
    public static SpanEventFields Read(ReadOnlySpan<byte> message)
    {
        var fields = new SpanEventFields { Message = message };
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
                    reader.ReadBytes();
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        return fields;
    }

    internal static Rejection Verify(ReadOnlySpan<byte> message)
    {
        var fields = Read(message);
        var verdict = default(ItemVerdict);
        verdict.Time(fields.TimeUnixNano);
        verdict.Name(fields.Name);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == AttributeTag)
            {
                verdict.Attribute(reader.ReadBytes());
            }
            else
            {
                reader.Skip(tag);
            }
        }
        return verdict.Rejection;
    }
}

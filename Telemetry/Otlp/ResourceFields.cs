namespace Apm.Telemetry.Otlp;

/// <summary>The fields of one Resource message { 1 attributes, 2 dropped_attributes_count }. Attributes are read by a second pass over <see cref="Message"/>.</summary>
public ref struct ResourceFields
{
    public const uint AttributeTag = 1 << 3 | 2;
    private const ulong KnownFields = 1UL << 1 | 1UL << 2;

    public ReadOnlySpan<byte> Message { get; private set; }

    public uint DroppedAttributesCount { get; private set; }

    /// <summary>A rejection holds for every item of the resource.</summary>
    /// <exception cref="MalformedOtlpException">Not a Resource.</exception>
    public static Rejection Read(ReadOnlySpan<byte> message, out ResourceFields fields)
    {
        fields = new() { Message = message };
        var verdict = default(ItemVerdict);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case AttributeTag:
                    verdict.Attribute(reader.ReadBytes(), out _);
                    break;
                case 2 << 3 | 0:
                    fields.DroppedAttributesCount = (uint)reader.ReadVarint();
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        verdict.Item(message);
        return verdict.Rejection;
    }
}

namespace Apm.Telemetry.Otlp;

/// <summary>The fields of one InstrumentationScope message { 1 name, 2 version, 3 attributes, 4 dropped_attributes_count }.</summary>
public ref struct ScopeFields
{
    public const uint AttributeTag = 3 << 3 | 2;
    private const ulong KnownFields = 0b1_1110;

    public ReadOnlySpan<byte> Message { get; private set; }

    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Version { get; private set; }

    public uint DroppedAttributesCount { get; private set; }

    /// <summary>A rejection holds for every item of the scope.</summary>
    /// <exception cref="MalformedOtlpException">Not an InstrumentationScope.</exception>
    public static Rejection Read(ReadOnlySpan<byte> message, out ScopeFields fields)
    {
        fields = new() { Message = message };
        var verdict = default(ItemVerdict);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3 | 2:
                    fields.Name = reader.ReadBytes();
                    break;
                case 2 << 3 | 2:
                    fields.Version = reader.ReadBytes();
                    break;
                case AttributeTag:
                    verdict.Attribute(reader.ReadBytes(), out _);
                    break;
                case 4 << 3 | 0:
                    fields.DroppedAttributesCount = (uint)reader.ReadVarint();
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        verdict.Name(fields.Name);
        verdict.Name(fields.Version);
        verdict.Item(message);
        return verdict.Rejection;
    }
}

namespace Apm.Telemetry.Otlp;

/// <summary>
/// The fields of one Span.Link message { 1 trace_id, 2 span_id, 3 trace_state, 4 attributes, 5 dropped_attributes_count, 6 flags }.
/// Ids that are absent or all zero are allowed: the specification keeps such links for their attributes.
/// </summary>
public ref struct SpanLinkFields
{
    private const uint AttributeTag = 4 << 3 | 2;
    private const ulong KnownFields = 0b111_1110;

    /// <summary>Empty or 16 bytes when the span is taken.</summary>
    public ReadOnlySpan<byte> TraceId { get; private set; }

    /// <summary>Empty or 8 bytes when the span is taken.</summary>
    public ReadOnlySpan<byte> SpanId { get; private set; }

    public ReadOnlySpan<byte> TraceState { get; private set; }

    public uint DroppedAttributesCount { get; private set; }

    public uint Flags { get; private set; }

    /// <summary>Reads the link and looks at every byte of it; the sink gets its attributes.</summary>
    /// <exception cref="MalformedOtlpException">Not a Link.</exception>
    internal static Rejection Read<TSink>(ReadOnlySpan<byte> message, scoped ref TSink sink, out SpanLinkFields fields)
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
                case 1 << 3 | 2:
                    fields.TraceId = reader.ReadBytes();
                    break;
                case 2 << 3 | 2:
                    fields.SpanId = reader.ReadBytes();
                    break;
                case 3 << 3 | 2:
                    fields.TraceState = reader.ReadBytes();
                    break;
                case AttributeTag:
                    var key = attributes.Attribute(reader.ReadBytes(), out var value);
                    sink.LinkAttribute(key, in value);
                    break;
                case 5 << 3 | 0:
                    fields.DroppedAttributesCount = (uint)reader.ReadVarint();
                    break;
                case 6 << 3 | 5:
                    fields.Flags = reader.ReadFixed32();
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        var verdict = default(ItemVerdict);
        if (fields.TraceId.Length is not (0 or Telemetry.TraceId.SizeBytes))
        {
            verdict.Add(new(RejectionReason.InvalidLinkId, (ulong)fields.TraceId.Length));
        }
        if (fields.SpanId.Length is not (0 or Telemetry.SpanId.SizeBytes))
        {
            verdict.Add(new(RejectionReason.InvalidLinkId, (ulong)fields.SpanId.Length));
        }
        verdict.Name(fields.TraceState);
        verdict.Add(attributes.Rejection);
        return verdict.Rejection;
    }
}

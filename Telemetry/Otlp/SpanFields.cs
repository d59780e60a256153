namespace Apm.Telemetry.Otlp;

/// <summary>
/// The fields of one Span message. <see cref="Read"/> looks at every byte of the span and says whether it is taken: the Collector calls it before it
/// acknowledges, the Ingester before it decodes, so both skip exactly the same spans. Attributes, events and links of a span that is taken are read by
/// a second pass over <see cref="Message"/>, which then cannot fail.
/// </summary>
public ref struct SpanFields
{
    public const uint AttributeTag = 9 << 3 | 2;
    public const uint EventTag = 11 << 3 | 2;
    public const uint LinkTag = 13 << 3 | 2;

    /// <summary>Fields 1 to 16.</summary>
    private const ulong KnownFields = 0x1_fffe;

    public ReadOnlySpan<byte> Message { get; private set; }

    /// <summary>16 bytes, not all zero, when the span is taken.</summary>
    public ReadOnlySpan<byte> TraceId { get; private set; }

    /// <summary>8 bytes, not all zero, when the span is taken.</summary>
    public ReadOnlySpan<byte> SpanId { get; private set; }

    /// <summary>Empty or 8 bytes when the span is taken.</summary>
    public ReadOnlySpan<byte> ParentSpanId { get; private set; }

    public ReadOnlySpan<byte> TraceState { get; private set; }

    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>0 also for a kind that the specification does not define.</summary>
    public SpanKind Kind { get; private set; }

    /// <summary>At most long.MaxValue when the span is taken.</summary>
    public ulong StartTimeUnixNano { get; private set; }

    /// <summary>At most long.MaxValue when the span is taken.</summary>
    public ulong EndTimeUnixNano { get; private set; }

    public uint DroppedAttributesCount { get; private set; }

    public uint DroppedEventsCount { get; private set; }

    public uint DroppedLinksCount { get; private set; }

    public uint Flags { get; private set; }

    public ReadOnlySpan<byte> StatusMessage { get; private set; }

    /// <summary>0 also for a code that the specification does not define.</summary>
    public StatusCode StatusCode { get; private set; }

    /// <exception cref="MalformedOtlpException">Not a Span.</exception>
    public static Rejection Read(ReadOnlySpan<byte> message, out SpanFields fields)
    {
        var read = new SpanFields { Message = message };
        var verdict = default(ItemVerdict);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case AttributeTag:
                    verdict.Attribute(reader.ReadBytes());
                    break;
                case EventTag:
                    verdict.Add(SpanEventFields.Verify(reader.ReadBytes()));
                    break;
                case LinkTag:
                    verdict.Add(SpanLinkFields.Verify(reader.ReadBytes()));
                    break;
                case 15 << 3 | 2:
                    read.ReadStatus(reader.ReadBytes());
                    break;
                default:
                    read.ReadScalar(tag, ref reader);
                    break;
            }
        }
        read.Judge(ref verdict);
        fields = read;
        return verdict.Rejection;
    }

    private void ReadScalar(uint tag, scoped ref ProtobufReader reader)
    {
        switch (tag)
        {
            case 1 << 3 | 2:
                TraceId = reader.ReadBytes();
                break;
            case 2 << 3 | 2:
                SpanId = reader.ReadBytes();
                break;
            case 3 << 3 | 2:
                TraceState = reader.ReadBytes();
                break;
            case 4 << 3 | 2:
                ParentSpanId = reader.ReadBytes();
                break;
            case 5 << 3 | 2:
                Name = reader.ReadBytes();
                break;
            case 6 << 3 | 0:
                var kind = reader.ReadVarint();
                Kind = kind <= (ulong)SpanKind.Consumer ? (SpanKind)kind : SpanKind.Unspecified;
                break;
            case 7 << 3 | 1:
                StartTimeUnixNano = reader.ReadFixed64();
                break;
            case 8 << 3 | 1:
                EndTimeUnixNano = reader.ReadFixed64();
                break;
            case 10 << 3 | 0:
                DroppedAttributesCount = (uint)reader.ReadVarint();
                break;
            case 12 << 3 | 0:
                DroppedEventsCount = (uint)reader.ReadVarint();
                break;
            case 14 << 3 | 0:
                DroppedLinksCount = (uint)reader.ReadVarint();
                break;
            case 16 << 3 | 5:
                Flags = reader.ReadFixed32();
                break;
            default:
                reader.SkipUnknown(tag, KnownFields);
                break;
        }
    }

    private void ReadStatus(ReadOnlySpan<byte> message)
    {
        StatusMessage = default;
        StatusCode = StatusCode.Unset;
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 2 << 3 | 2:
                    StatusMessage = reader.ReadBytes();
                    break;
                case 3 << 3 | 0:
                    var code = reader.ReadVarint();
                    StatusCode = code <= (ulong)StatusCode.Error ? (StatusCode)code : StatusCode.Unset;
                    break;
                default:
                    reader.SkipUnknown(tag, 1UL << 2 | 1UL << 3);
                    break;
            }
        }
    }

    private readonly void Judge(scoped ref ItemVerdict verdict)
    {
        if (TraceId.Length != Telemetry.TraceId.SizeBytes || !TraceId.ContainsAnyExcept((byte)0))
        {
            verdict.Add(new(RejectionReason.InvalidTraceId, (ulong)TraceId.Length));
        }
        if (SpanId.Length != Telemetry.SpanId.SizeBytes || !SpanId.ContainsAnyExcept((byte)0))
        {
            verdict.Add(new(RejectionReason.InvalidSpanId, (ulong)SpanId.Length));
        }
        if (ParentSpanId.Length is not (0 or Telemetry.SpanId.SizeBytes))
        {
            verdict.Add(new(RejectionReason.InvalidParentSpanId, (ulong)ParentSpanId.Length));
        }
        verdict.Name(Name);
        verdict.Name(TraceState);
        verdict.Value(StatusMessage);
        verdict.Time(StartTimeUnixNano);
        verdict.Time(EndTimeUnixNano);
        verdict.Item(Message);
    }
}

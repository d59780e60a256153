namespace Apm.Telemetry.Otlp;

/// <summary>
/// The fields of one Span message. Reading it looks at every byte of the span and says whether it is taken: the Collector does so before it acknowledges,
/// the Ingester while it decodes, so both skip exactly the same spans. Attributes, events and links go to a sink on the way, in one pass.
/// </summary>
public ref struct SpanFields
{
    /// <summary>Fields 1 to 16.</summary>
    private const ulong KnownFields = 0x1_fffe;

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

    /// <summary>Reads the span for the verdict alone.</summary>
    /// <exception cref="MalformedOtlpException">Not a Span.</exception>
    public static Rejection Read(ReadOnlySpan<byte> message, out SpanFields fields)
    {
        var nowhere = default(NullItemSink);
        return Read(message, ref nowhere, out fields);
    }

    /// <param name="sink">Gets attributes, events and links, which count only when the span is taken.</param>
    /// <exception cref="MalformedOtlpException">Not a Span; the sink may have got a part of it.</exception>
    public static Rejection Read<TSink>(ReadOnlySpan<byte> message, scoped ref TSink sink, out SpanFields fields)
        where TSink : struct, IItemSink, allows ref struct
    {
        fields = default;
        var verdict = default(ItemVerdict);
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
                case 4 << 3 | 2:
                    fields.ParentSpanId = reader.ReadBytes();
                    break;
                case 5 << 3 | 2:
                    fields.Name = reader.ReadBytes();
                    break;
                case 6 << 3 | 0:
                    var kind = reader.ReadVarint();
                    fields.Kind = kind <= (ulong)SpanKind.Consumer ? (SpanKind)kind : SpanKind.Unspecified;
                    break;
                case 7 << 3 | 1:
                    fields.StartTimeUnixNano = reader.ReadFixed64();
                    break;
                case 8 << 3 | 1:
                    fields.EndTimeUnixNano = reader.ReadFixed64();
                    break;
                case 9 << 3 | 2:
                    var key = verdict.Attribute(reader.ReadBytes(), out var value);
                    sink.Attribute(key, in value);
                    break;
                case 10 << 3 | 0:
                    fields.DroppedAttributesCount = (uint)reader.ReadVarint();
                    break;
                case 11 << 3 | 2:
                    verdict.Add(SpanEventFields.Read(reader.ReadBytes(), ref sink, out var spanEvent));
                    sink.Event(in spanEvent);
                    break;
                case 12 << 3 | 0:
                    fields.DroppedEventsCount = (uint)reader.ReadVarint();
                    break;
                case 13 << 3 | 2:
                    verdict.Add(SpanLinkFields.Read(reader.ReadBytes(), ref sink, out var link));
                    sink.Link(in link);
                    break;
                case 14 << 3 | 0:
                    fields.DroppedLinksCount = (uint)reader.ReadVarint();
                    break;
                case 15 << 3 | 2:
                    fields.ReadStatus(reader.ReadBytes());
                    break;
                case 16 << 3 | 5:
                    fields.Flags = reader.ReadFixed32();
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        fields.Judge(ref verdict);
        verdict.Item(message);
        return verdict.Rejection;
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
    }
}

namespace Apm.Telemetry.Otlp;

/// <summary>
/// The fields of one LogRecord message. <see cref="Read"/> looks at every byte and says whether the record is taken, like <see cref="SpanFields.Read"/>.
/// A trace or span id of another length counts as absent, as the specification asks, and <see cref="HasInvalidTraceContext"/> says so.
/// </summary>
public ref struct LogRecordFields
{
    public const uint AttributeTag = 6 << 3 | 2;

    /// <summary>Fields 1 to 3 and 5 to 12.</summary>
    private const ulong KnownFields = 0x1fee;

    public ReadOnlySpan<byte> Message { get; private set; }

    /// <summary>0: unknown. At most long.MaxValue when the record is taken.</summary>
    public ulong TimeUnixNano { get; private set; }

    /// <summary>0: unknown. At most long.MaxValue when the record is taken.</summary>
    public ulong ObservedTimeUnixNano { get; private set; }

    /// <summary>0 to 24; 0 also for a number that the specification does not define.</summary>
    public byte SeverityNumber { get; private set; }

    public ReadOnlySpan<byte> SeverityText { get; private set; }

    /// <summary>The AnyValue message; empty when there is none.</summary>
    public ReadOnlySpan<byte> Body { get; private set; }

    public uint DroppedAttributesCount { get; private set; }

    public uint Flags { get; private set; }

    /// <summary>Empty or 16 bytes.</summary>
    public ReadOnlySpan<byte> TraceId { get; private set; }

    /// <summary>Empty or 8 bytes.</summary>
    public ReadOnlySpan<byte> SpanId { get; private set; }

    public ReadOnlySpan<byte> EventName { get; private set; }

    public bool HasInvalidTraceContext { get; private set; }

    /// <exception cref="MalformedOtlpException">Not a LogRecord.</exception>
    public static Rejection Read(ReadOnlySpan<byte> message, out LogRecordFields fields)
    {
        var read = new LogRecordFields { Message = message };
        var verdict = default(ItemVerdict);
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
                read.ReadScalar(tag, ref reader);
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
            case 1 << 3 | 1:
                TimeUnixNano = reader.ReadFixed64();
                break;
            case 2 << 3 | 0:
                var severity = reader.ReadVarint();
                SeverityNumber = severity <= Telemetry.SeverityNumber.Max ? (byte)severity : Telemetry.SeverityNumber.Unspecified;
                break;
            case 3 << 3 | 2:
                SeverityText = reader.ReadBytes();
                break;
            case 5 << 3 | 2:
                Body = reader.ReadBytes();
                break;
            case 7 << 3 | 0:
                DroppedAttributesCount = (uint)reader.ReadVarint();
                break;
            case 8 << 3 | 5:
                Flags = reader.ReadFixed32();
                break;
            case 9 << 3 | 2:
                TraceId = reader.ReadBytes();
                break;
            case 10 << 3 | 2:
                SpanId = reader.ReadBytes();
                break;
            case 11 << 3 | 1:
                ObservedTimeUnixNano = reader.ReadFixed64();
                break;
            case 12 << 3 | 2:
                EventName = reader.ReadBytes();
                break;
            default:
                reader.SkipUnknown(tag, KnownFields);
                break;
        }
    }

    private void Judge(scoped ref ItemVerdict verdict)
    {
        if (TraceId.Length is not (0 or Telemetry.TraceId.SizeBytes) || SpanId.Length is not (0 or Telemetry.SpanId.SizeBytes))
        {
            HasInvalidTraceContext = true;
            TraceId = default;
            SpanId = default;
        }
        verdict.Add(AnyValue.Verify(Body, 0));
        verdict.Value(Body);
        verdict.Name(SeverityText);
        verdict.Name(EventName);
        verdict.Time(TimeUnixNano);
        verdict.Time(ObservedTimeUnixNano);
        verdict.Item(Message);
    }
}

namespace Apm.Telemetry.Otlp;

/// <summary>
/// The fields of one LogRecord message. Reading it looks at every byte and says whether the record is taken, as for <see cref="SpanFields"/>.
/// A trace or span id of another length counts as absent, as the specification asks, and <see cref="HasInvalidTraceContext"/> says so.
/// </summary>
public ref struct LogRecordFields
{
    /// <summary>Fields 1 to 3 and 5 to 12.</summary>
    private const ulong KnownFields = 0x1fee;

    /// <summary>0: unknown. At most long.MaxValue when the record is taken.</summary>
    public ulong TimeUnixNano { get; private set; }

    /// <summary>0: unknown. At most long.MaxValue when the record is taken.</summary>
    public ulong ObservedTimeUnixNano { get; private set; }

    /// <summary>0 to 24; 0 also for a number that the specification does not define.</summary>
    public byte SeverityNumber { get; private set; }

    public ReadOnlySpan<byte> SeverityText { get; private set; }

    /// <summary>Empty when there is none.</summary>
    public AnyValue Body { get; private set; }

    public uint DroppedAttributesCount { get; private set; }

    public uint Flags { get; private set; }

    /// <summary>Empty or 16 bytes.</summary>
    public ReadOnlySpan<byte> TraceId { get; private set; }

    /// <summary>Empty or 8 bytes.</summary>
    public ReadOnlySpan<byte> SpanId { get; private set; }

    public ReadOnlySpan<byte> EventName { get; private set; }

    public bool HasInvalidTraceContext { get; private set; }

    /// <summary>Reads the record for the verdict alone.</summary>
    /// <exception cref="MalformedOtlpException">Not a LogRecord.</exception>
    public static Rejection Read(ReadOnlySpan<byte> message, out LogRecordFields fields)
    {
        var nowhere = default(NullItemSink);
        return Read(message, ref nowhere, out fields);
    }

    /// <param name="sink">Gets the attributes, which count only when the record is taken.</param>
    /// <exception cref="MalformedOtlpException">Not a LogRecord; the sink may have got a part of it.</exception>
    public static Rejection Read<TSink>(ReadOnlySpan<byte> message, scoped ref TSink sink, out LogRecordFields fields)
        where TSink : struct, IItemSink, allows ref struct
    {
        fields = default;
        ReadOnlySpan<byte> body = default;
        var verdict = default(ItemVerdict);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3 | 1:
                    fields.TimeUnixNano = reader.ReadFixed64();
                    break;
                case 2 << 3 | 0:
                    var severity = reader.ReadVarint();
                    fields.SeverityNumber = severity <= Telemetry.SeverityNumber.Max ? (byte)severity : Telemetry.SeverityNumber.Unspecified;
                    break;
                case 3 << 3 | 2:
                    fields.SeverityText = reader.ReadBytes();
                    break;
                case 5 << 3 | 2:
                    body = reader.ReadBytes();
                    break;
                case 6 << 3 | 2:
                    var key = verdict.Attribute(reader.ReadBytes(), out var value);
                    sink.Attribute(key, in value);
                    break;
                case 7 << 3 | 0:
                    fields.DroppedAttributesCount = (uint)reader.ReadVarint();
                    break;
                case 8 << 3 | 5:
                    fields.Flags = reader.ReadFixed32();
                    break;
                case 9 << 3 | 2:
                    fields.TraceId = reader.ReadBytes();
                    break;
                case 10 << 3 | 2:
                    fields.SpanId = reader.ReadBytes();
                    break;
                case 11 << 3 | 1:
                    fields.ObservedTimeUnixNano = reader.ReadFixed64();
                    break;
                case 12 << 3 | 2:
                    fields.EventName = reader.ReadBytes();
                    break;
                default:
                    reader.SkipUnknown(tag, KnownFields);
                    break;
            }
        }
        fields.Judge(body, ref verdict);
        verdict.Item(message);
        return verdict.Rejection;
    }

    private void Judge(ReadOnlySpan<byte> body, scoped ref ItemVerdict verdict)
    {
        if (TraceId.Length is not (0 or Telemetry.TraceId.SizeBytes) || SpanId.Length is not (0 or Telemetry.SpanId.SizeBytes))
        {
            HasInvalidTraceContext = true;
            TraceId = default;
            SpanId = default;
        }
        Body = AnyValue.ReadWhole(body, 0, out var rejection);
        verdict.Add(rejection);
        verdict.Value(body);
        verdict.Name(SeverityText);
        verdict.Name(EventName);
        verdict.Time(TimeUnixNano);
        verdict.Time(ObservedTimeUnixNano);
    }
}

using System.Globalization;

namespace Apm.Telemetry.Tests.Otlp;

/// <summary>Requests for tests: fixed ones, and random ones with every field.</summary>
internal static class OtlpSample
{
    public const string TraceId = "0102030405060708090a0b0c0d0e0f10";
    public const string SpanId = "a1a2a3a4a5a6a7a8";

    private static readonly string[] Kinds =
        ["SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"];

    private static readonly string[] Statuses = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

    private static readonly string[] Texts = ["", "GET /cart/{id}", "値段 ✓ 😀", "a\"b\\c\n\t\u0001", "select * from items where id = ?", "x"];

    public static OtlpMessage Span(string name = "GET /x") => OtlpMessage.New()
        .Hex("traceId", 1, TraceId).Hex("spanId", 2, SpanId).Text("name", 5, name)
        .Fixed64("startTimeUnixNano", 7, 1_000).Fixed64("endTimeUnixNano", 8, 3_000);

    public static OtlpMessage Traces(params IEnumerable<OtlpMessage> spans) => OtlpMessage.New().Repeated("resourceSpans", 1, OtlpMessage.New()
        .Message("resource", 1, OtlpMessage.New().Attributes(1, ("service.name", "cart")))
        .Repeated("scopeSpans", 2, OtlpMessage.New().Message("scope", 1, OtlpMessage.New().Text("name", 1, "lib")).Repeated("spans", 2, spans)));

    public static OtlpMessage LogRecord() => OtlpMessage.New()
        .Fixed64("timeUnixNano", 1, 5_000).Enum("severityNumber", 2, 9, "SEVERITY_NUMBER_INFO").Message("body", 5, OtlpMessage.AnyValue("hello"));

    public static OtlpMessage Logs(params IEnumerable<OtlpMessage> records) => OtlpMessage.New().Repeated("resourceLogs", 1, OtlpMessage.New()
        .Message("resource", 1, OtlpMessage.New().Attributes(1, ("service.name", "cart")))
        .Repeated("scopeLogs", 2, OtlpMessage.New().Message("scope", 1, OtlpMessage.New().Text("name", 1, "lib")).Repeated("logRecords", 2, records)));

    public static OtlpMessage RandomTraces(Random random) => OtlpMessage.New().Repeated("resourceSpans", 1, Many(random, 3, () => OtlpMessage.New()
        .Message("resource", 1, RandomResource(random))
        .Repeated("scopeSpans", 2, Many(random, 3, () => OtlpMessage.New()
            .Message("scope", 1, RandomScope(random)).Repeated("spans", 2, Many(random, 6, () => RandomSpan(random))).Text("schemaUrl", 3, RandomText(random))))
        .Text("schemaUrl", 3, RandomText(random))));

    public static OtlpMessage RandomLogs(Random random) => OtlpMessage.New().Repeated("resourceLogs", 1, Many(random, 3, () => OtlpMessage.New()
        .Message("resource", 1, RandomResource(random))
        .Repeated("scopeLogs", 2, Many(random, 3, () => OtlpMessage.New()
            .Message("scope", 1, RandomScope(random)).Repeated("logRecords", 2, Many(random, 6, () => RandomLogRecord(random))).Text("schemaUrl", 3, RandomText(random))))
        .Text("schemaUrl", 3, RandomText(random))));

    private static OtlpMessage RandomResource(Random random) => OtlpMessage.New()
        .Attributes(1, [("service.name", $"service-{random.Next(3)}"), .. RandomPairs(random, 0)]).UInt32("droppedAttributesCount", 2, (uint)random.Next(3));

    private static OtlpMessage RandomScope(Random random) => OtlpMessage.New()
        .Text("name", 1, RandomText(random)).Text("version", 2, RandomText(random)).Attributes(3, RandomPairs(random, 0)).UInt32("droppedAttributesCount", 4, (uint)random.Next(3));

    private static OtlpMessage RandomSpan(Random random)
    {
        var kind = random.Next(Kinds.Length);
        var status = random.Next(Statuses.Length);
        var start = (ulong)random.NextInt64(long.MaxValue / 2);
        return OtlpMessage.New()
            .Hex("traceId", 1, RandomId(random, 16)).Hex("spanId", 2, RandomId(random, 8)).Text("traceState", 3, RandomText(random))
            .Hex("parentSpanId", 4, random.Next(2) == 0 ? "" : RandomId(random, 8)).Text("name", 5, RandomText(random)).Enum("kind", 6, kind, Kinds[kind])
            .Fixed64("startTimeUnixNano", 7, start).Fixed64("endTimeUnixNano", 8, start + (ulong)random.Next(1_000_000))
            .Attributes(9, RandomPairs(random, 0)).UInt32("droppedAttributesCount", 10, (uint)random.Next(3))
            .Repeated("events", 11, Many(random, 3, () => OtlpMessage.New().Fixed64("timeUnixNano", 1, (ulong)random.NextInt64()).Text("name", 2, RandomText(random))
                .Attributes(3, RandomPairs(random, 0)).UInt32("droppedAttributesCount", 4, (uint)random.Next(3))))
            .UInt32("droppedEventsCount", 12, (uint)random.Next(3))
            .Repeated("links", 13, Many(random, 3, () => OtlpMessage.New().Hex("traceId", 1, RandomId(random, 16)).Hex("spanId", 2, RandomId(random, 8))
                .Text("traceState", 3, RandomText(random)).Attributes(4, RandomPairs(random, 0)).UInt32("droppedAttributesCount", 5, 1).Fixed32("flags", 6, (uint)random.Next())))
            .UInt32("droppedLinksCount", 14, uint.MaxValue)
            .Message("status", 15, OtlpMessage.New().Text("message", 2, RandomText(random)).Enum("code", 3, status, Statuses[status]))
            .Fixed32("flags", 16, uint.MaxValue);
    }

    private static OtlpMessage RandomLogRecord(Random random) => OtlpMessage.New()
        .Fixed64("timeUnixNano", 1, (ulong)random.NextInt64()).Enum("severityNumber", 2, 18, "SEVERITY_NUMBER_ERROR2").Text("severityText", 3, RandomText(random))
        .Message("body", 5, OtlpMessage.AnyValue(RandomValue(random, 0))).Attributes(6, RandomPairs(random, 0)).UInt32("droppedAttributesCount", 7, (uint)random.Next(3))
        .Fixed32("flags", 8, 1).Hex("traceId", 9, RandomId(random, 16)).Hex("spanId", 10, RandomId(random, 8))
        .Fixed64("observedTimeUnixNano", 11, (ulong)random.NextInt64()).Text("eventName", 12, RandomText(random));

    private static (string, object)[] RandomPairs(Random random, int depth) =>
        [.. Enumerable.Range(0, random.Next(4)).Select(i => ($"key.{random.Next(8).ToString(CultureInfo.InvariantCulture)}", RandomValue(random, depth)))];

    private static object RandomValue(Random random, int depth) => random.Next(depth > 3 ? 6 : 8) switch
    {
        0 => RandomText(random),
        1 => random.Next(2) == 0,
        2 => random.NextInt64(long.MinValue, long.MaxValue),
        3 => random.NextDouble() * Math.Pow(10, random.Next(-300, 300)),
        4 => random.Next(3) switch { 0 => double.NaN, 1 => double.NegativeInfinity, _ => double.PositiveInfinity },
        5 => RandomBytes(random, random.Next(20)),
        6 => Enumerable.Range(0, random.Next(3)).Select(_ => RandomValue(random, depth + 1)).ToArray(),
        _ => RandomPairs(random, depth + 1),
    };

    private static OtlpMessage[] Many(Random random, int most, Func<OtlpMessage> make) => [.. Enumerable.Range(0, random.Next(most + 1)).Select(_ => make())];

    private static string RandomText(Random random) => Texts[random.Next(Texts.Length)];

    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string RandomId(Random random, int length)
    {
        var bytes = RandomBytes(random, length);
        bytes[0] |= 1;
        return Convert.ToHexStringLower(bytes);
    }
}

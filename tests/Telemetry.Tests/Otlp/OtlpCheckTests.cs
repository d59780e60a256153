using Apm.Telemetry.Otlp;
using static Apm.Telemetry.Tests.Otlp.OtlpMessage;

namespace Apm.Telemetry.Tests.Otlp;

public sealed class OtlpCheckTests
{
    private static OtlpMessage SpanWith(string name, int number, object value) => value switch
    {
        string hex => OtlpSample.Span().Hex(name, number, hex),
        ulong time => OtlpSample.Span().Fixed64(name, number, time),
        OtlpMessage message => OtlpSample.Span().Message(name, number, message),
        _ => throw new ArgumentException(name),
    };

    private static (string, object)[] Pairs(int count) => [.. Enumerable.Range(0, count).Select(i => ($"k{i}", (object)i))];

    public static TheoryData<string, string> Rejected => new()
    {
        { "trace id short", "invalid_trace_id" },
        { "trace id zero", "invalid_trace_id" },
        { "trace id absent", "invalid_trace_id" },
        { "trace id long", "invalid_trace_id" },
        { "span id short", "invalid_span_id" },
        { "span id zero", "invalid_span_id" },
        { "parent id short", "invalid_parent_span_id" },
        { "link trace id short", "invalid_link_id" },
        { "link span id long", "invalid_link_id" },
        { "start beyond int64", "invalid_time" },
        { "end beyond int64", "invalid_time" },
        { "event time beyond int64", "invalid_time" },
        { "name of 1 MB", "name_too_long" },
        { "event name of 1 MB", "name_too_long" },
        { "trace state of 1 MB", "name_too_long" },
        { "key of 5 KB", "key_too_long" },
        { "attribute of 5 MB", "value_too_large" },
        { "status message of 2 MB", "value_too_large" },
        { "10,000 attributes", "too_many_attributes" },
        { "10,000 event attributes", "too_many_attributes" },
        { "kvlists 1,000 deep", "nesting_too_deep" },
        { "kvlists 65 deep", "nesting_too_deep" },
        { "event kvlists 1,000 deep", "nesting_too_deep" },
        { "item of 9 MB", "item_too_large" },
    };

    private static OtlpMessage Bad(string what) => what switch
    {
        "trace id short" => SpanWith("traceId", 1, "01020304050607"),
        "trace id zero" => SpanWith("traceId", 1, new string('0', 32)),
        "trace id absent" => New().Hex("spanId", 2, OtlpSample.SpanId),
        "trace id long" => SpanWith("traceId", 1, OtlpSample.TraceId + "00"),
        "span id short" => SpanWith("spanId", 2, "0102"),
        "span id zero" => SpanWith("spanId", 2, new string('0', 16)),
        "parent id short" => SpanWith("parentSpanId", 4, "0102"),
        "link trace id short" => SpanWith("links", 13, New().Hex("traceId", 1, "01")),
        "link span id long" => SpanWith("links", 13, New().Hex("spanId", 2, OtlpSample.SpanId + "ff")),
        "start beyond int64" => SpanWith("startTimeUnixNano", 7, ulong.MaxValue),
        "end beyond int64" => SpanWith("endTimeUnixNano", 8, 1UL << 63),
        "event time beyond int64" => SpanWith("events", 11, New().Fixed64("timeUnixNano", 1, ulong.MaxValue)),
        "name of 1 MB" => OtlpSample.Span(new string('n', 1 << 20)),
        "event name of 1 MB" => SpanWith("events", 11, New().Text("name", 2, new string('n', 1 << 20))),
        "trace state of 1 MB" => OtlpSample.Span().Text("traceState", 3, new string('n', 1 << 20)),
        "key of 5 KB" => OtlpSample.Span().Attributes(9, (new string('k', 5000), 1)),
        "attribute of 5 MB" => OtlpSample.Span().Attributes(9, ("big", new string('v', 5 << 20))),
        "status message of 2 MB" => SpanWith("status", 15, New().Text("message", 2, new string('m', 2 << 20))),
        "10,000 attributes" => OtlpSample.Span().Attributes(9, Pairs(10_000)),
        "10,000 event attributes" => SpanWith("events", 11, New().Attributes(3, Pairs(10_000))),
        "kvlists 1,000 deep" => OtlpSample.Span().Attributes(9, ("deep", Nested(1000))),
        "kvlists 65 deep" => OtlpSample.Span().Attributes(9, ("deep", Nested(65))),
        "event kvlists 1,000 deep" => SpanWith("events", 11, New().Attributes(3, ("deep", Nested(1000)))),
        "item of 9 MB" => OtlpSample.Span().Attributes(9, [.. Enumerable.Range(0, 9).Select(i => ($"k{i}", (object)new string('v', 1_000_000)))]),
        _ => throw new ArgumentException(what),
    };

    [Theory]
    [MemberData(nameof(Rejected))]
    public void Traces_BadSpanBetweenGoodOnes_RejectsItAlone(string what, string reason)
    {
        var body = OtlpSample.Traces(OtlpSample.Span(), Bad(what), OtlpSample.Span()).ToProtobuf();

        var result = OtlpCheck.Traces(body);

        Assert.Equal(3, result.Items);
        Assert.Equal(1, result.Rejected);
        var counts = Enumerable.Range(0, RejectionReasons.Count).Where(i => result.Count((RejectionReason)i) > 0).Select(i => RejectionReasons.Text((RejectionReason)i));
        Assert.Equal([reason], counts);
        Assert.StartsWith("1 span rejected: ", result.Message, StringComparison.Ordinal);
        Assert.EndsWith("of service 'cart')", result.Message, StringComparison.Ordinal);
        Assert.True(result.Message!.Length < 300);
    }

    public static TheoryData<string> Accepted => ["empty name", "1970", "2099", "end before start", "own parent", "zero parent", "no times", "duplicate keys", "kvlists 64 deep",
        "2,048 attributes", "link without ids", "unknown field", "unknown kind", "negative kind", "attribute of 1 MB", "invalid UTF-8"];

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Traces_OddButUsable_IsAccepted(string what)
    {
        var span = what switch
        {
            "empty name" => OtlpSample.Span(""),
            "1970" => SpanWith("startTimeUnixNano", 7, 1UL),
            "2099" => SpanWith("startTimeUnixNano", 7, 4_070_908_800_000_000_000UL),
            "end before start" => SpanWith("endTimeUnixNano", 8, 1UL),
            "own parent" => SpanWith("parentSpanId", 4, OtlpSample.SpanId),
            "zero parent" => SpanWith("parentSpanId", 4, new string('0', 16)),
            "no times" => New().Hex("traceId", 1, OtlpSample.TraceId).Hex("spanId", 2, OtlpSample.SpanId),
            "duplicate keys" => OtlpSample.Span().Attributes(9, ("a", 1), ("a", 2)),
            "kvlists 64 deep" => OtlpSample.Span().Attributes(9, ("deep", Nested(64))),
            "2,048 attributes" => OtlpSample.Span().Attributes(9, Pairs(2048)),
            "link without ids" => SpanWith("links", 13, New().Attributes(4, ("a", 1))),
            "unknown field" => OtlpSample.Span().Text("future", 99, "x").Fixed64("future", 98, 1).Fixed32("future", 97, 1).UInt32("future", 96, 1),
            "unknown kind" => OtlpSample.Span().Int64("kind", 6, 77),
            "negative kind" => OtlpSample.Span().Int64("kind", 6, -1),
            "attribute of 1 MB" => OtlpSample.Span().Attributes(9, ("big", new string('v', 1_000_000))),
            "invalid UTF-8" => OtlpSample.Span().Bytes("name", 5, [0xff, 0xfe]),
            _ => throw new ArgumentException(what),
        };

        var result = OtlpCheck.Traces(OtlpSample.Traces(span).ToProtobuf());

        Assert.Equal((1, 0, null), (result.Items, result.Rejected, result.Message));
    }

    [Fact]
    public void Traces_SeveralReasons_MessageCountsThemAndDescribesTheFirst()
    {
        var body = OtlpSample.Traces(OtlpSample.Span("GET /x").Hex("traceId", 1, "01020304050607"), OtlpSample.Span(new string('n', 70_000)), OtlpSample.Span().Hex("traceId", 1, "")).ToProtobuf();

        Assert.Equal(
            "3 spans rejected: 2 invalid_trace_id, 1 name_too_long, trace_id of 7 bytes, must be 16 (first: span 'GET /x' of service 'cart')",
            OtlpCheck.Traces(body).Message);
    }

    [Fact]
    public void Traces_ResourceBeyondALimit_RejectsItsSpansOnly()
    {
        var bad = New().Message("resource", 1, New().Attributes(1, ("deep", Nested(100))))
            .Repeated("scopeSpans", 2, New().Repeated("spans", 2, OtlpSample.Span(), OtlpSample.Span()));
        var good = New().Repeated("scopeSpans", 2, New().Repeated("spans", 2, OtlpSample.Span()));

        var result = OtlpCheck.Traces(New().Repeated("resourceSpans", 1, bad, good).ToProtobuf());

        Assert.Equal((3, 2), (result.Items, result.Rejected));
        Assert.Contains("a resource without service.name", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Traces_ResourceAfterItsSpans_StillNamesTheService()
    {
        var body = New().Repeated("resourceSpans", 1, New()
            .Repeated("scopeSpans", 2, New().Repeated("spans", 2, OtlpSample.Span().Hex("spanId", 2, "")).Message("scope", 1, New()))
            .Message("resource", 1, New().Attributes(1, ("service.name", "late")))).ToProtobuf();

        Assert.Equal("1 span rejected: span_id of 0 bytes, must be 8 (first: span 'GET /x' of service 'late')", OtlpCheck.Traces(body).Message);
    }

    [Fact]
    public void Traces_EmptyRequest_IsSuccess() => Assert.Equal((0, 0, null), (OtlpCheck.Traces([]).Items, OtlpCheck.Traces([]).Rejected, OtlpCheck.Traces([]).Message));

    [Fact]
    public void Logs_WrongLengthOfIds_AreTakenWithAWarning()
    {
        var result = OtlpCheck.Logs(OtlpSample.Logs(OtlpSample.LogRecord(), OtlpSample.LogRecord().Hex("traceId", 9, "0102")).ToProtobuf());

        Assert.Equal((2, 0, 1), (result.Items, result.Rejected, result.Warnings));
        Assert.Equal("1 log records taken without trace_id and span_id, which have wrong lengths (first: one of service 'cart')", result.Message);
    }

    [Theory]
    [InlineData("body of 5 MB", RejectionReason.ValueTooLarge)]
    [InlineData("body 1,000 deep", RejectionReason.NestingTooDeep)]
    [InlineData("time beyond int64", RejectionReason.InvalidTime)]
    [InlineData("observed time beyond int64", RejectionReason.InvalidTime)]
    [InlineData("event name of 1 MB", RejectionReason.NameTooLong)]
    [InlineData("10,000 attributes", RejectionReason.TooManyAttributes)]
    public void Logs_BadRecordBesideAGoodOne_RejectsItAlone(string what, RejectionReason reason)
    {
        var record = what switch
        {
            "body of 5 MB" => OtlpSample.LogRecord().Message("body", 5, AnyValue(new string('v', 5 << 20))),
            "body 1,000 deep" => OtlpSample.LogRecord().Message("body", 5, Nested(1000)),
            "time beyond int64" => OtlpSample.LogRecord().Fixed64("timeUnixNano", 1, ulong.MaxValue),
            "observed time beyond int64" => OtlpSample.LogRecord().Fixed64("observedTimeUnixNano", 11, ulong.MaxValue),
            "event name of 1 MB" => OtlpSample.LogRecord().Text("eventName", 12, new string('n', 1 << 20)),
            _ => OtlpSample.LogRecord().Attributes(6, Pairs(10_000)),
        };

        var result = OtlpCheck.Logs(OtlpSample.Logs(record, OtlpSample.LogRecord()).ToProtobuf());

        Assert.Equal((2, 1, 1), (result.Items, result.Rejected, result.Count(reason)));
    }

    public static TheoryData<int, int> KnownSpanFields
    {
        get
        {
            var data = new TheoryData<int, int>();
            int[] wireTypes = [0, 2, 2, 2, 2, 2, 0, 1, 1, 2, 0, 2, 0, 2, 0, 2, 5];
            for (var number = 1; number <= 16; number++)
            {
                foreach (var wireType in new[] { 0, 1, 2, 5, 3, 4, 6, 7 })
                {
                    if (wireType != wireTypes[number])
                    {
                        data.Add(number, wireType);
                    }
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(KnownSpanFields))]
    public void Traces_WrongWireType_IsMalformed(int field, int wireType)
    {
        // Enough zeros follow for any wire type, so only the mismatch can be wrong.
        byte[] span = [.. Tag(field << 3 | wireType), 0, 0, 0, 0, 0, 0, 0, 0];
        byte[] scope = [2 << 3 | 2, (byte)span.Length, .. span];
        byte[] resource = [2 << 3 | 2, (byte)scope.Length, .. scope];
        byte[] body = [1 << 3 | 2, (byte)resource.Length, .. resource];

        Assert.Throws<MalformedOtlpException>(() => OtlpCheck.Traces(body));

        static byte[] Tag(int tag) => tag < 128 ? [(byte)tag] : [(byte)(tag | 0x80), (byte)(tag >> 7)];
    }

    [Fact]
    public void Traces_CutAnywhere_IsMalformedOrAWholePrefix()
    {
        var body = Enumerable.Range(0, 100).Select(seed => OtlpSample.RandomTraces(new Random(seed)).ToProtobuf()).First(body => body.Length > 2000);
        var whole = 0;
        for (var length = 0; length < body.Length; length++)
        {
            try
            {
                OtlpCheck.Traces(body.AsSpan(0, length));
                whole++;
            }
            catch (MalformedOtlpException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
        // Only a cut between two resource_spans leaves a message.
        Assert.InRange(whole, 1, 3);
    }

    [Theory]
    [InlineData("not a protobuf message at all")]
    [InlineData("{\"resourceSpans\":[]}")]
    [InlineData("\n\u007f")]
    public void Traces_OtherBytes_IsMalformed(string text) =>
        Assert.Throws<MalformedOtlpException>(() => OtlpCheck.Traces(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Traces_GoodRequest_AllocatesNothing()
    {
        var random = new Random(3);
        var body = OtlpSample.RandomTraces(random).ToProtobuf();
        OtlpCheck.Traces(body);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            OtlpCheck.Traces(body);
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64);
    }
}

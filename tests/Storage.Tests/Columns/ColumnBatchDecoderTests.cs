using System.Globalization;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Otlp;
using Apm.Telemetry.Tests.Otlp;
using static Apm.Telemetry.Tests.Otlp.OtlpMessage;

namespace Apm.Storage.Tests.Columns;

public sealed class ColumnBatchDecoderTests
{
    private const long Received = 99_000;

    private static ColumnBatch Decode(Signal signal, params OtlpMessage[] requests)
    {
        var decoder = new ColumnBatchDecoder(signal);
        foreach (var request in requests)
        {
            decoder.Append(request.ToProtobuf(), Received);
        }
        return decoder.Take();
    }

    private static ColumnBatch DecodeSpan(OtlpMessage span) => Decode(Signal.Traces, OtlpSample.Traces(span));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [Fact]
    public void Append_SpanWithEveryField_FillsEveryColumn()
    {
        var request = New().Repeated("resourceSpans", 1, New()
            .Message("resource", 1, New().Attributes(1, ("service.name", "cart"), ("host.cores", 8)).UInt32("droppedAttributesCount", 2, 3))
            .Repeated("scopeSpans", 2, New()
                .Message("scope", 1, New().Text("name", 1, "lib").Text("version", 2, "1.2").Attributes(3, ("scope.x", true)).UInt32("droppedAttributesCount", 4, 4))
                .Repeated("spans", 2, New()
                    .Hex("traceId", 1, OtlpSample.TraceId).Hex("spanId", 2, OtlpSample.SpanId).Text("traceState", 3, "a=b").Hex("parentSpanId", 4, "00000000000000ff")
                    .Text("name", 5, "GET /cart").Int64("kind", 6, 2).Fixed64("startTimeUnixNano", 7, 1_000).Fixed64("endTimeUnixNano", 8, 3_500)
                    .Attributes(9, ("s", "text"), ("b", true), ("i", -5), ("d", 1.5), ("y", new byte[] { 1, 2 }), ("a", new object[] { 1, "x" }), ("m", new (string, object)[] { ("k", 1) }), ("e", New()))
                    .UInt32("droppedAttributesCount", 10, 5)
                    .Repeated("events", 11, New().Fixed64("timeUnixNano", 1, 1_200).Text("name", 2, "exception").Attributes(3, ("exception.type", "E")).UInt32("droppedAttributesCount", 4, 6), New().Text("name", 2, "timeless"))
                    .UInt32("droppedEventsCount", 12, 7)
                    .Repeated("links", 13, New().Hex("traceId", 1, OtlpSample.TraceId).Hex("spanId", 2, "0000000000000001").Text("traceState", 3, "c=d").Attributes(4, ("l", 1)).UInt32("droppedAttributesCount", 5, 8).Fixed32("flags", 6, 9), New().Attributes(4, ("idless", 1)))
                    .UInt32("droppedLinksCount", 14, 10)
                    .Message("status", 15, New().Text("message", 2, "boom").Int64("code", 3, 2))
                    .Fixed32("flags", 16, 257))
                .Text("schemaUrl", 3, "https://scope"))
            .Text("schemaUrl", 3, "https://resource"));

        Assert.Equal(
            """
            resource [service.name=String:cart, host.cores=Int64:8] dropped 3 schema 'https://resource'
            scope 'lib' '1.2' [scope.x=Bool:true] dropped 4 schema 'https://scope'
            span 0102030405060708090a0b0c0d0e0f10 a1a2a3a4a5a6a7a8 parent 00000000000000ff state 'a=b' 'GET /cart' Server start 1000 duration 2500 flags 257 Error 'boom' [s=String:text, b=Bool:true, i=Int64:-5, d=Double:1.5, y=Bytes:AQI=, a=Array:[1,"x"], m=KeyValueList:{"k":1}, e=Empty:] dropped 5 7 10
              event 1200 'exception' [exception.type=String:E] dropped 6
              event 1000 'timeless' [] dropped 0
              link 0102030405060708090a0b0c0d0e0f10 0000000000000001 state 'c=d' flags 9 [l=Int64:1] dropped 8
              link 00000000000000000000000000000000 0000000000000000 state '' flags 0 [idless=Int64:1] dropped 0

            """.ReplaceLineEndings("\n"),
            BatchText.Of(Decode(Signal.Traces, request)));
    }

    [Fact]
    public void Append_LogRecordWithEveryField_FillsEveryColumn()
    {
        var request = OtlpSample.Logs(
            New().Fixed64("timeUnixNano", 1, 5_000).Int64("severityNumber", 2, 17).Text("severityText", 3, "ERR").Message("body", 5, AnyValue("it failed"))
                .Attributes(6, ("a", 1)).UInt32("droppedAttributesCount", 7, 2).Fixed32("flags", 8, 1).Hex("traceId", 9, OtlpSample.TraceId).Hex("spanId", 10, OtlpSample.SpanId)
                .Fixed64("observedTimeUnixNano", 11, 6_000).Text("eventName", 12, "device.error"),
            New().Message("body", 5, AnyValue(new (string, object)[] { ("k", "v") })).Fixed64("observedTimeUnixNano", 11, 7_000),
            New().Hex("traceId", 9, "0102").Hex("spanId", 10, OtlpSample.SpanId).Int64("severityNumber", 2, 25));

        Assert.Equal(
            """
            log 5000 observed 6000 trace 0102030405060708090a0b0c0d0e0f10 a1a2a3a4a5a6a7a8 17 'ERR' event 'device.error' flags 1 body String it failed [a=Int64:1] dropped 2
            log 7000 observed 7000 trace 00000000000000000000000000000000 0000000000000000 0 '' event '' flags 0 body KeyValueList {"k":"v"} [] dropped 0
            log 99000 observed 0 trace 00000000000000000000000000000000 0000000000000000 0 '' event '' flags 0 body Empty  [] dropped 0

            """.ReplaceLineEndings("\n"),
            string.Concat(BatchText.Of(Decode(Signal.Logs, request)).Split('\n').Where(line => line.StartsWith("log", StringComparison.Ordinal)).Select(line => line + "\n")));
    }

    public static TheoryData<ulong, ulong, long, long> Times => new()
    {
        { 1_000, 3_000, 1_000, 2_000 },
        { 3_000, 1_000, 3_000, 0 },
        { 1, 2, 1, 1 },
        { 4_070_908_800_000_000_000, 4_070_908_800_000_000_005, 4_070_908_800_000_000_000, 5 },
        { 0, 3_000, 3_000, 0 },
        { 0, 0, Received, 0 },
        { 5_000, 0, 5_000, 0 },
        { 1, long.MaxValue, 1, long.MaxValue - 1 },
    };

    [Theory]
    [MemberData(nameof(Times))]
    public void Append_Times_GiveStartAndDuration(ulong start, ulong end, long expectedStart, long expectedDuration)
    {
        var batch = DecodeSpan(OtlpSample.Span().Fixed64("startTimeUnixNano", 7, start).Fixed64("endTimeUnixNano", 8, end));

        Assert.Equal((expectedStart, expectedDuration), (batch.TimeUnixNano[0], batch.DurationNano[0]));
    }

    [Theory]
    [InlineData("", "0000000000000000")]
    [InlineData("0000000000000000", "0000000000000000")]
    [InlineData("00000000000000ff", "00000000000000ff")]
    [InlineData(OtlpSample.SpanId, "0000000000000000")]
    public void Append_Parent_OwnParentBecomesRoot(string parent, string expected) =>
        Assert.Equal(expected, DecodeSpan(OtlpSample.Span().Hex("parentSpanId", 4, parent)).ParentSpanId[0].ToString());

    [Fact]
    public void Append_ParentCycle_IsKept()
    {
        var a = OtlpSample.Span().Hex("spanId", 2, "000000000000000a").Hex("parentSpanId", 4, "000000000000000b");
        var b = OtlpSample.Span().Hex("spanId", 2, "000000000000000b").Hex("parentSpanId", 4, "000000000000000a");

        Assert.Equal(2, Decode(Signal.Traces, OtlpSample.Traces(a, b)).Rows);
    }

    [Fact]
    public void Append_DuplicateAttributes_LastCounts()
    {
        var batch = DecodeSpan(OtlpSample.Span().Attributes(9, ("a", 1), ("b", 2), ("a", 3)));

        Assert.Equal(3, batch.Attributes.GetValue(batch.Attributes.Find(0, batch.Strings.Find("a"u8)), batch.Strings).AsInt64());
    }

    [Fact]
    public void Append_InvalidUtf8_IsRepairedAndCounted()
    {
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        var result = decoder.Append(OtlpSample.Traces(
            OtlpSample.Span().Bytes("name", 5, [(byte)'a', 0xff, (byte)'b']).Repeated("attributes", 9, New().Bytes("key", 1, [0xc3]).Message("value", 2, New().Bytes("stringValue", 1, [0xe2, 0x82]))),
            OtlpSample.Span("fine")).ToProtobuf(), Received);
        var batch = decoder.Take();

        Assert.Equal(new DecodeResult(2, 0, 3), result);
        Assert.Equal("a\ufffdb", batch.Strings.GetString(batch.Name[0]));
        Assert.Equal("\ufffd=String:\ufffd", BatchText.Attributes(batch, batch.Attributes, 0));
        for (var code = 0; code < batch.Strings.Count; code++)
        {
            Assert.Equal(batch.Strings[code].ToArray(), Encoding.UTF8.GetBytes(batch.Strings.GetString(code)));
        }
    }

    [Fact]
    public void Append_RejectedSpan_LeavesNothingBehind()
    {
        var bad = OtlpSample.Span("bad").Hex("spanId", 2, "01").Attributes(9, ("bad", "bad"))
            .Repeated("events", 11, New().Text("name", 2, "bad")).Repeated("links", 13, New().Text("traceState", 3, "bad"));
        var good = OtlpSample.Span("good").Repeated("events", 11, New().Text("name", 2, "e"));

        var batch = Decode(Signal.Traces, OtlpSample.Traces(good, bad, good));

        Assert.Equal(BatchText.Of(Decode(Signal.Traces, OtlpSample.Traces(good, good))), BatchText.Of(batch));
        Assert.Equal(-1, batch.Strings.Find("bad"u8));
    }

    [Fact]
    public void Append_RejectedSpansOfManyStrings_LeaveTheTableAsItWas()
    {
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        for (var round = 0; round < 5; round++)
        {
            var bad = OtlpSample.Span("bad").Attributes(9, [.. Enumerable.Range(0, 1_000).Select(i => ($"bad key {i}", (object)$"bad value {i} of {round}"))]).Hex("spanId", 2, "01");
            var good = OtlpSample.Span("good").Attributes(9, [.. Enumerable.Range(0, 300).Select(i => ($"key {i}", (object)$"value {i} of {round}"))]);
            Assert.Equal(new DecodeResult(2, 1, 0), decoder.Append(OtlpSample.Traces(good, bad, good).ToProtobuf(), Received));
        }
        var batch = decoder.Take();

        var strings = Enumerable.Range(0, batch.Strings.Count).Select(code => batch.Strings.GetString(code)).ToArray();
        Assert.DoesNotContain(strings, text => text.StartsWith("bad", StringComparison.Ordinal));
        Assert.Equal(strings.Distinct().Count(), strings.Length);
        Assert.All(Enumerable.Range(0, strings.Length), code => Assert.Equal(code, batch.Strings.Find(batch.Strings[code])));
        Assert.Equal("value 299 of 4", batch.Attributes.GetValue(batch.Attributes.Find(9, batch.Strings.Find("key 299"u8)), batch.Strings).ToString());
    }

    [Fact]
    public void Append_DamageInsideASpan_TakesBackWhatCameBeforeIt()
    {
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        var children = OtlpSample.Span("torn").Attributes(9, ("a", 1)).Repeated("events", 11, New().Text("name", 2, "e").Attributes(3, ("b", 1)))
            .Repeated("links", 13, New().Attributes(4, ("c", 1))).Bytes("damage", 15, [2 << 3 | 2, 200]);

        Assert.Throws<MalformedOtlpException>(() => decoder.Append(OtlpSample.Traces(OtlpSample.Span("first"), children).ToProtobuf(), Received));
        decoder.Append(OtlpSample.Traces(OtlpSample.Span("second")).ToProtobuf(), Received);

        Assert.Equal(BatchText.Of(Decode(Signal.Traces, OtlpSample.Traces(OtlpSample.Span("first"), OtlpSample.Span("second")))), BatchText.Of(decoder.Take()));
    }

    [Fact]
    public void Append_EventWithoutTimeBeforeTheSpansStart_HappensAtThatStart()
    {
        var early = New().Repeated("events", 11, New().Text("name", 2, "early"), New().Fixed64("timeUnixNano", 1, 7).Text("name", 2, "timed"))
            .Hex("traceId", 1, OtlpSample.TraceId).Hex("spanId", 2, OtlpSample.SpanId).Fixed64("startTimeUnixNano", 7, 4_321);
        var batch = Decode(Signal.Traces, OtlpSample.Traces(OtlpSample.Span(), early, early));

        Assert.Equal([4_321, 7, 4_321, 7], batch.EventTimeUnixNano.Values.ToArray());
    }

    [Fact]
    public void Append_TextThatCameAsBytesBefore_IsStillRepaired()
    {
        byte[] wrong = [(byte)'a', 0xff];
        var batch = Decode(Signal.Traces, OtlpSample.Traces(OtlpSample.Span().Attributes(9, ("bytes", wrong)), OtlpSample.Span().Bytes("name", 5, wrong)));

        Assert.Equal(wrong, batch.Strings[(int)batch.Attributes.Bits[0]].ToArray());
        Assert.Equal("a\ufffd"u8.ToArray(), batch.Strings[batch.Name[1]].ToArray());
    }

    [Fact]
    public void Append_AfterALargeBatch_ASmallOneIsSmall()
    {
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        decoder.Append(OtlpSample.Traces(Enumerable.Range(0, 5_000).Select(i => OtlpSample.Span($"span {i}").Attributes(9, ("key", $"value {i}")))).ToProtobuf(), Received);
        var large = decoder.Take();
        decoder.Append(OtlpSample.Traces(OtlpSample.Span()).ToProtobuf(), Received);

        Assert.InRange(decoder.Take().SizeBytes, 1, large.SizeBytes / 100);
    }

    [Fact]
    public void Append_RejectedResourceAndScope_SkipTheirItemsOnly()
    {
        var deep = New().Attributes(1, ("deep", Nested(100)));
        var badResource = New().Message("resource", 1, deep).Repeated("scopeSpans", 2, New().Repeated("spans", 2, OtlpSample.Span()));
        var badScope = New().Repeated("scopeSpans", 2,
            New().Message("scope", 1, New().Text("name", 1, new string('n', 70_000))).Repeated("spans", 2, OtlpSample.Span()), New().Repeated("spans", 2, OtlpSample.Span("kept")));
        var decoder = new ColumnBatchDecoder(Signal.Traces);

        var result = decoder.Append(New().Repeated("resourceSpans", 1, badResource, badScope, badResource).ToProtobuf(), Received);

        Assert.Equal((1, 3), (result.Rows, result.Skipped));
        var batch = decoder.Take();
        Assert.Equal("kept", batch.Strings.GetString(batch.Name[0]));
    }

    [Fact]
    public void Append_SeveralRequests_ShareResourcesAndScopes()
    {
        var other = New().Repeated("resourceSpans", 1, New().Message("resource", 1, New().Attributes(1, ("service.name", "other"))).Repeated("scopeSpans", 2, New().Repeated("spans", 2, OtlpSample.Span())));
        var batch = Decode(Signal.Traces, OtlpSample.Traces(OtlpSample.Span()), other, OtlpSample.Traces(OtlpSample.Span()));

        Assert.Equal([0, 1, 0], batch.Resource.Values.ToArray());
        Assert.Equal([0, 1, 0], batch.Scope.Values.ToArray());
        Assert.Equal("other", batch.ServiceName(1));
    }

    [Fact]
    public void Append_AfterTake_BeginsANewBatch()
    {
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        var body = OtlpSample.Traces(OtlpSample.Span().Attributes(9, ("k", "v"))).ToProtobuf();
        decoder.Append(body, Received);
        var first = decoder.Take();
        decoder.Append(OtlpSample.Traces(OtlpSample.Span("other")).ToProtobuf(), Received);
        decoder.Append(body, Received);
        var second = decoder.Take();

        Assert.Equal((1, 2, 0), (first.Rows, second.Rows, decoder.Rows));
        Assert.Equal("k=String:v", BatchText.Attributes(second, second.Attributes, 1));
    }

    [Fact]
    public void Append_DamagedRequest_KeepsWholeItemsAndGoesOn()
    {
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        var whole = OtlpSample.Traces(OtlpSample.Span("first")).ToProtobuf();
        byte[] damaged = [.. whole, 1 << 3 | 2, 200];

        Assert.Throws<MalformedOtlpException>(() => decoder.Append(damaged, Received));
        decoder.Append(OtlpSample.Traces(OtlpSample.Span("second")).ToProtobuf(), Received);

        Assert.Equal(BatchText.Of(Decode(Signal.Traces, OtlpSample.Traces(OtlpSample.Span("first"), OtlpSample.Span("second")))), BatchText.Of(decoder.Take()));
    }

    [Fact]
    public void Append_RandomAndMutatedRequests_AgreesWithTheCheck()
    {
        var random = new Random(11);
        var bodies = Enumerable.Range(0, 40).Select(seed => OtlpSample.RandomTraces(new Random(seed)).ToProtobuf()).ToArray();
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        for (var round = 0; round < 1500; round++)
        {
            var body = (byte[])bodies[random.Next(bodies.Length)].Clone();
            for (var i = random.Next(4); i > 0 && body.Length > 0; i--)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }
            OtlpCheckResult? check = null;
            DecodeResult? decoded = null;
            try
            {
                check = OtlpCheck.Traces(body);
                decoded = decoder.Append(body, Received);
            }
            catch (MalformedOtlpException) when (check is null)
            {
                // Refused by the check, so never decoded: at replay of a damaged log it still must not do harm.
                Assert.Throws<MalformedOtlpException>(() => decoder.Append(body, Received));
            }
            if (check is { } whole)
            {
                Assert.Equal((whole.Items - whole.Rejected, whole.Rejected), (decoded!.Value.Rows, decoded.Value.Skipped));
            }
            if (round % 50 == 0)
            {
                // Reads every column: all of them must have the same number of rows.
                BatchText.Of(decoder.Take());
            }
        }
    }

    [Fact]
    public void Append_RepeatedShape_PredictsWithoutMixingUpValues()
    {
        var random = new Random(5);
        string[] keys = ["a", "b", "c", "", "long.key.with.dots"];
        var expected = new List<string>();
        var spans = new List<OtlpMessage>();
        for (var i = 0; i < 500; i++)
        {
            var pairs = Enumerable.Range(0, random.Next(80)).Select(_ => (keys[random.Next(keys.Length)], (object)(random.Next(3) == 0 ? random.Next(3) : $"v{random.Next(4)}"))).ToArray();
            spans.Add(OtlpSample.Span().Attributes(9, pairs));
            expected.Add(string.Join(", ", pairs.Select(pair => Invariant($"{pair.Item1}={(pair.Item2 is string ? "String" : "Int64")}:{pair.Item2}"))));
        }

        var batch = Decode(Signal.Traces, OtlpSample.Traces(spans));

        Assert.Equal(expected, Enumerable.Range(0, batch.Rows).Select(row => BatchText.Attributes(batch, batch.Attributes, row)));
    }

    [Fact]
    public void Append_RowsOfAGrownBatch_AllocatesNothingPerSpan()
    {
        var body = OtlpSample.Traces(Enumerable.Range(0, 100).Select(i => OtlpSample.Span().Attributes(9, ("http.method", "GET"), ("http.status", i)))).ToProtobuf();
        var decoder = new ColumnBatchDecoder(Signal.Traces);
        for (var i = 0; i < 11; i++)
        {
            decoder.Append(body, Received);
        }
        // 1,100 rows are decoded; the columns have room for 2,048, so nothing need grow for another 900.
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 9; i++)
        {
            decoder.Append(body, Received);
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256);
    }

    [Fact]
    public void Append_EmptyRequest_AddsNothing() => Assert.Equal(default, new ColumnBatchDecoder(Signal.Logs).Append([], Received));
}

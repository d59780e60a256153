using System.Buffers;
using System.Text;
using Apm.Telemetry.Otlp;
using static Apm.Telemetry.Tests.Otlp.OtlpMessage;

namespace Apm.Telemetry.Tests.Otlp;

public sealed class OtlpJsonTests
{
    private static byte[] Traces(string json)
    {
        var target = new ArrayBufferWriter<byte>();
        OtlpJson.ToProtobufTraces(Encoding.UTF8.GetBytes(json), target);
        return target.WrittenSpan.ToArray();
    }

    private static byte[] Logs(string json)
    {
        var target = new ArrayBufferWriter<byte>();
        OtlpJson.ToProtobufLogs(Encoding.UTF8.GetBytes(json), target);
        return target.WrittenSpan.ToArray();
    }

    private static byte[] Span(string json) => Traces($$"""{"resourceSpans":[{"scopeSpans":[{"spans":[{{json}}]}]}]}""");

    private static byte[] Span(OtlpMessage span) => New().Repeated("resourceSpans", 1, New().Repeated("scopeSpans", 2, New().Repeated("spans", 2, span))).ToProtobuf();

    private static byte[] Attribute(string json) => Span($$"""{"attributes":[{"key":"k","value":{{json}}}]}""");

    private static byte[] Attribute(OtlpMessage value) => Span(New().Repeated("attributes", 9, New().Text("key", 1, "k").Message("value", 2, value)));

    [Fact]
    public void ToProtobuf_RandomRequests_EqualsTheProtobufByteForByte()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var traces = OtlpSample.RandomTraces(random);
            Assert.Equal(traces.ToProtobuf(), Traces(traces.ToJson(random)));
            var logs = OtlpSample.RandomLogs(random);
            Assert.Equal(logs.ToProtobuf(), Logs(logs.ToJson(random)));
        }
    }

    [Theory]
    [InlineData("\"1544712660000000000\"", 1544712660000000000UL)]
    [InlineData("1544712660000000000", 1544712660000000000UL)]
    [InlineData("1.5e3", 1500UL)]
    [InlineData("\"18446744073709551615\"", ulong.MaxValue)]
    [InlineData("-1", ulong.MaxValue)]
    [InlineData("1e30", ulong.MaxValue)]
    [InlineData("1e300", ulong.MaxValue)]
    public void ToProtobuf_Time_TakesStringsAndNumbers(string json, ulong expected) =>
        Assert.Equal(Span(New().Fixed64("startTimeUnixNano", 7, expected)), Span($$"""{"startTimeUnixNano":{{json}}}"""));

    [Theory]
    [InlineData("5", 5)]
    [InlineData("\"SPAN_KIND_SERVER\"", 2)]
    [InlineData("\"3\"", 3)]
    public void ToProtobuf_Enum_TakesNumbersAndNames(string json, int expected) =>
        Assert.Equal(Span(New().Enum("kind", 6, expected, "")), Span($$"""{"kind":{{json}}}"""));

    [Theory]
    [InlineData("{\"intValue\":\"-9223372036854775808\"}", long.MinValue)]
    [InlineData("{\"intValue\":9223372036854775807}", long.MaxValue)]
    [InlineData("{\"intValue\":1.0}", 1L)]
    [InlineData("{\"doubleValue\":\"-Infinity\"}", double.NegativeInfinity)]
    [InlineData("{\"doubleValue\":1}", 1.0)]
    [InlineData("{\"doubleValue\":\"1e\\u002B300\"}", 1e300)]
    [InlineData("{\"intValue\":100000000000000000000}", 1e20)]
    [InlineData("{\"boolValue\":false}", false)]
    [InlineData("{\"stringValue\":\"\"}", "")]
    [InlineData("{\"stringValue\":\"\\u00e9\\ud83d\\ude00\\/\\\"\\\\\\b\\f\\n\\r\\t\"}", "é😀/\"\\\b\f\n\r\t")]
    [InlineData("{\"stringValue\":\"cut \\ud83d\"}", "cut \ufffd")]
    [InlineData("{\"stringValue\":\"\\udc00 and \\ud800\\u0041\"}", "\ufffd and \ufffdA")]
    public void ToProtobuf_Value_IsRead(string json, object expected) => Assert.Equal(Attribute(AnyValue(expected)), Attribute(json));

    [Fact]
    public void ToProtobuf_NullsAndUnknownKeys_AreAsIfAbsent() =>
        Assert.Equal(
            Span(New().Text("name", 5, "n")),
            Span("""{"trace_id":"00","traceId":null,"events":null,"status":null,"name":"n","kind":null,"new":{"deep":[[[1]]]},"attributes":null}"""));

    [Theory]
    [InlineData("0102030405060708090A0B0C0D0E0F10", 0)]
    [InlineData("0102030405060708090a0b0c0d0e0f10", 0)]
    [InlineData("01020304", 1)]
    [InlineData("", 1)]
    [InlineData("00000000000000000000000000000000", 1)]
    [InlineData("0102030405060708090a0b0c0d0e0f1", 1)]
    [InlineData("zz02030405060708090a0b0c0d0e0f10", 1)]
    [InlineData("not hexadecimal!", 1)]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEA==", 1)]
    [InlineData("0102030405060708090a0b0c0d0e0f100102030405060708090a0b0c0d0e0f10010203", 1)]
    public void ToProtobuf_TraceId_OnlyAWrongOneIsRejectedByTheCheck(string traceId, int rejected)
    {
        var json = $$"""{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"{{traceId}}","spanId":"A1A2A3A4A5A6A7A8"},{"traceId":"{{OtlpSample.TraceId}}","spanId":"0000000000000001"}]}]}]}""";

        var result = OtlpCheck.Traces(Traces(json));

        Assert.Equal((2, rejected, rejected), (result.Items, result.Rejected, result.Count(RejectionReason.InvalidTraceId)));
    }

    [Theory]
    [InlineData("12345678")]
    [InlineData("not hexa")]
    public void ToProtobuf_SpanIdThatIsTextOfRightLength_IsRejectedByTheCheck(string spanId)
    {
        var result = OtlpCheck.Traces(Span($$"""{"traceId":"{{OtlpSample.TraceId}}","spanId":"{{spanId}}"}"""));

        Assert.Equal(1, result.Count(RejectionReason.InvalidSpanId));
    }

    [Theory]
    [InlineData(64, 0)]
    [InlineData(65, 1)]
    [InlineData(1000, 1)]
    public void ToProtobuf_NestedValues_AreRejectedByTheCheckLikeProtobuf(int depth, int rejected)
    {
        var request = OtlpSample.Traces(OtlpSample.Span(), OtlpSample.Span().Attributes(9, ("deep", Nested(depth))));

        var json = OtlpCheck.Traces(Traces(request.ToJson()));

        Assert.Equal((2, rejected, rejected), (json.Items, json.Rejected, json.Count(RejectionReason.NestingTooDeep)));
        Assert.Equal(rejected, OtlpCheck.Traces(request.ToProtobuf()).Rejected);
    }

    [Fact]
    public void ToProtobuf_ByteOrderMarkAndSpace_AreSkipped() => Assert.Equal(Traces("{}"), Traces("\ufeff \n{ }\n"));

    [Theory]
    [InlineData("", "the JSON is wrong at line 1, byte 0")]
    [InlineData("[]", "the request must be an object, at byte 0 of the JSON")]
    [InlineData("{\"resourceSpans\":{}}", "resourceSpans must be an array, at byte 17 of the JSON")]
    [InlineData("{\"resourceSpans\":[1]}", "resourceSpans must be an array of objects, at byte 18 of the JSON")]
    [InlineData("{\n\"resourceSpans\":[{]}", "the JSON is wrong at line 2, byte 18")]
    [InlineData("{} {}", "the JSON is wrong at line 1, byte 3")]
    [InlineData("{\"resourceSpans\":[{\"resource\":[]}]}", "resource must be an object, at byte 30 of the JSON")]
    [InlineData("{\"resourceSpans\":[{\"schemaUrl\":1}]}", "schemaUrl must be a string, at byte 31 of the JSON")]
    public void ToProtobuf_WrongJson_SaysWhatAndWhere(string json, string message) =>
        Assert.Equal(message, Assert.Throws<MalformedOtlpException>(() => Traces(json)).Message);

    [Theory]
    [InlineData("{\"startTimeUnixNano\":\"soon\"}", "startTimeUnixNano must be a whole number")]
    [InlineData("{\"startTimeUnixNano\":1.5}", "startTimeUnixNano must be a whole number")]
    [InlineData("{\"startTimeUnixNano\":true}", "startTimeUnixNano must be a number")]
    [InlineData("{\"kind\":\"SERVER\"}", "kind must be a whole number")]
    [InlineData("{\"traceId\":7}", "traceId must be a string of hexadecimal digits")]
    [InlineData("{\"name\":7}", "name must be a string")]
    [InlineData("{\"attributes\":[{\"key\":\"k\",\"value\":{\"bytesValue\":\"#\"}}]}", "bytesValue must be a base64 string")]
    [InlineData("{\"attributes\":[{\"key\":\"k\",\"value\":{\"boolValue\":\"true\"}}]}", "boolValue must be true or false")]
    [InlineData("{\"attributes\":[{\"key\":\"k\",\"value\":{\"doubleValue\":\"wide\"}}]}", "doubleValue must be a number")]
    [InlineData("{\"attributes\":[{\"key\":\"k\",\"value\":\"bare\"}]}", "value must be an object")]
    [InlineData("{\"attributes\":[{\"key\":\"k\",\"value\":{\"arrayValue\":{\"values\":[null]}}}]}", "values must be an array of objects")]
    public void ToProtobuf_WrongValue_SaysWhat(string span, string message) =>
        Assert.StartsWith(message, Assert.Throws<MalformedOtlpException>(() => Span(span)).Message, StringComparison.Ordinal);

    [Fact]
    public void ToProtobuf_CutAnywhere_IsMalformed()
    {
        var json = Encoding.UTF8.GetBytes(OtlpSample.Traces(OtlpSample.Span().Attributes(9, ("a", "é\n"), ("b", 1.5))).ToJson());
        for (var length = 0; length < json.Length; length++)
        {
            Assert.Throws<MalformedOtlpException>(() => OtlpJson.ToProtobufTraces(json.AsSpan(0, length), new ArrayBufferWriter<byte>()));
        }
    }
}

using Apm.Telemetry.Attributes;
using Apm.Telemetry.Otlp;
using Apm.Telemetry.Tests.Otlp;

namespace Apm.Telemetry.Tests.Attributes;

public sealed class AttributeJsonTests
{
    public static TheoryData<object, string> Values => new()
    {
        { "a\"b", "\"a\\\"b\"" },
        { true, "true" },
        { long.MinValue, "-9223372036854775808" },
        { 0.1, "0.1" },
        { double.NaN, "\"NaN\"" },
        { double.NegativeInfinity, "\"-Infinity\"" },
        { new byte[] { 1, 2, 3 }, "\"AQID\"" },
        { new object[] { 1, "x", new object[] { } }, "[1,\"x\",[]]" },
        { new (string, object)[] { ("a", 1), ("b", new object[] { false }) }, "{\"a\":1,\"b\":[false]}" },
        { OtlpMessage.New(), "null" },
        { OtlpMessage.New().Text("stringValue", 1, "first").Int64("intValue", 3, 2), "2" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void ToJson_EveryType_IsAsExpected(object value, string json)
    {
        var any = AnyValue.Read(OtlpMessage.AnyValue(value).ToProtobuf());
        var attribute = any.Type is AttributeType.Empty or AttributeType.Bool or AttributeType.Int64 or AttributeType.Double
            ? AttributeValue.FromBits(any.Type, any.Bits)
            : AttributeValue.FromContent(any.Type, any.Content);

        Assert.Equal(json, AttributeJson.ToJson(attribute));
    }

    [Fact]
    public void ToJson_NestedBeyondTheLimit_EndsWithAnEllipsis()
    {
        var any = AnyValue.Read(OtlpMessage.Nested(1000).ToProtobuf());

        Assert.Contains("{\"k\":\"…\"}", AttributeJson.ToJson(AttributeValue.FromContent(any.Type, any.Content)), StringComparison.Ordinal);
    }
}

using Apm.Telemetry.Filters;

namespace Apm.Telemetry.Tests.Filters;

public sealed class FieldParserTests
{
    [Theory]
    [InlineData("resource.service.name", FieldScope.Resource, "service.name", "resource.service.name")]
    [InlineData("span.http.route", FieldScope.Record, "http.route", "span.http.route")]
    [InlineData(".card.network", FieldScope.Any, "card.network", ".card.network")]
    [InlineData("card.network", FieldScope.Any, "card.network", ".card.network")]
    [InlineData("instrumentation.x", FieldScope.InstrumentationScope, "x", "instrumentation.x")]
    [InlineData("event.exception.type", FieldScope.Event, "exception.type", "event.exception.type")]
    [InlineData("link.x", FieldScope.Link, "x", "link.x")]
    [InlineData(".\"span.x\"", FieldScope.Any, "span.x", ".span.x")]
    [InlineData("span.\"my key\"", FieldScope.Record, "my key", "span.\"my key\"")]
    [InlineData("span.\"\"", FieldScope.Record, "", "span.\"\"")]
    public void Parse_Attribute_ReadsScopeAndKey(string text, FieldScope scope, string key, string formatted)
    {
        var field = FieldParser.Parse(text, Signal.Traces);
        Assert.Equal(Field.Attribute(scope, key), field);
        Assert.Equal(formatted, FieldFormatter.Format(field, Signal.Traces));
        Assert.Equal(formatted, field.ToString());
        Assert.Equal(field, FieldParser.Parse(formatted, Signal.Traces));
    }

    [Fact]
    public void Parse_EveryIntrinsicOfEachSignal_RoundTrips()
    {
        foreach (var signal in new[] { Signal.Traces, Signal.Logs })
        {
            foreach (var intrinsic in IntrinsicNames.Of(signal))
            {
                Assert.Equal(Field.Of(intrinsic), FieldParser.Parse(IntrinsicNames.NameOf(intrinsic), signal));
            }
        }
        Assert.Equal(Enum.GetValues<Intrinsic>().Length - 1, IntrinsicNames.Of(Signal.Traces).Union(IntrinsicNames.Of(Signal.Logs)).Count());
    }

    [Fact]
    public void Format_RecordAttributeOfLogs_IsWrittenWithLog() =>
        Assert.Equal("log.x", FieldFormatter.Format(FieldParser.Parse("log.x", Signal.Logs), Signal.Logs));

    [Theory]
    [InlineData("", 1)]
    [InlineData("name = x", 6)]
    [InlineData("\"name\"", 1)]
    [InlineData("nonsense", 1)]
    [InlineData("span.", 6)]
    [InlineData("a.b c.d", 5)]
    public void Parse_NoField_SaysWhere(string text, int column) => Assert.Equal(column, Assert.Throws<FilterSyntaxException>(() => FieldParser.Parse(text, Signal.Traces)).Column);
}

using System.Text.RegularExpressions;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

/// <summary>What each condition means, on a store of one span.</summary>
public sealed class FilterOperatorTests
{
    private static readonly TestRecord Span = TestRecord.Span(1, 0x2a, start: 50, duration: 1_500) with
    {
        Name = "GET /cart",
        Kind = SpanKind.Server,
        Status = StatusCode.Error,
        StatusMessage = "Boom",
        Resource = TestOwner.Service("cart", ("both", AttributeValue.FromString("resource"))),
        Scope = new TestOwner("lib", "2.0", ("scoped", AttributeValue.FromBool(true))),
        Attributes =
        [
            ("s", AttributeValue.FromString("Straße")), ("i", AttributeValue.FromInt64(5)), ("d", AttributeValue.FromDouble(2.0)), ("t", AttributeValue.FromBool(true)),
            ("nan", AttributeValue.FromDouble(double.NaN)), ("big", AttributeValue.FromInt64((1L << 53) + 1)), ("both", AttributeValue.FromString("span")),
            ("bytes", AttributeValue.FromContent(AttributeType.Bytes, [1, 2, 3])), ("bad", AttributeValue.FromContent(AttributeType.String, [0x61, 0xFF, 0x62])),
            ("twice", AttributeValue.FromString("first")), ("twice", AttributeValue.FromString("last")), ("empty", AttributeValue.Empty),
        ],
        Events = [new TestOwner("exception", "", ("exception.type", AttributeValue.FromString("Timeout"))), new TestOwner("log")],
        Links = [TestOwner.Of(("link.kind", AttributeValue.FromString("follows")))],
    };

    private static Field Own(string key) => Field.Attribute(FieldScope.Record, key);

    private static ComparisonFilter Compare(Field field, ComparisonOperator comparison, object literal) => new(field, comparison, literal switch
    {
        string text => AttributeValue.FromString(text),
        long number => AttributeValue.FromInt64(number),
        double number => AttributeValue.FromDouble(number),
        bool flag => AttributeValue.FromBool(flag),
        _ => throw new ArgumentException($"{literal}", nameof(literal)),
    });

    private static RegexFilter Regex(Field field, string pattern, bool negated = false) => new(field, new Regex($"^(?:{pattern})$", RegexOptions.NonBacktracking), negated);

    public static TheoryData<string, bool, Filter> Conditions => new()
    {
        { "string equal", true, Compare(Own("s"), ComparisonOperator.Equal, "Straße") },
        { "string differs by case", false, Compare(Own("s"), ComparisonOperator.Equal, "straße") },
        { "string order is by bytes", true, Compare(Own("s"), ComparisonOperator.Greater, "Strasse") },
        { "unequal", true, Compare(Own("s"), ComparisonOperator.NotEqual, "x") },
        { "unequal on a missing attribute", false, Compare(Own("missing"), ComparisonOperator.NotEqual, "x") },
        { "unequal of another type", false, Compare(Own("i"), ComparisonOperator.NotEqual, "5") },
        { "integer equals double", true, Compare(Own("i"), ComparisonOperator.Equal, 5.0) },
        { "double equals integer", true, Compare(Own("d"), ComparisonOperator.Equal, 2L) },
        { "integer below fraction", true, Compare(Own("i"), ComparisonOperator.Less, 5.5) },
        { "2^53+1 is not the double 2^53", false, Compare(Own("big"), ComparisonOperator.Equal, (double)(1L << 53)) },
        { "2^53+1 is above the double 2^53", true, Compare(Own("big"), ComparisonOperator.Greater, (double)(1L << 53)) },
        { "any integer is below 1e300", true, Compare(Own("big"), ComparisonOperator.Less, 1e300) },
        { "NaN is unequal to nothing", false, Compare(Own("nan"), ComparisonOperator.NotEqual, 1.0) },
        { "nothing is unequal to NaN", false, Compare(Own("i"), ComparisonOperator.NotEqual, double.NaN) },
        { "bool equal", true, Compare(Own("t"), ComparisonOperator.Equal, true) },
        { "bool unequal", true, Compare(Own("t"), ComparisonOperator.NotEqual, false) },
        { "bool has no order", false, Compare(Own("t"), ComparisonOperator.GreaterOrEqual, true) },
        { "last of duplicate keys counts", true, Compare(Own("twice"), ComparisonOperator.Equal, "last") },
        { "first of duplicate keys does not", false, Compare(Own("twice"), ComparisonOperator.Equal, "first") },
        { "no scope: own attribute first", true, Compare(Field.Attribute(FieldScope.Any, "both"), ComparisonOperator.Equal, "span") },
        { "no scope: not the resource's then", false, Compare(Field.Attribute(FieldScope.Any, "both"), ComparisonOperator.Equal, "resource") },
        { "no scope: else the resource's", true, Compare(Field.Attribute(FieldScope.Any, "service.name"), ComparisonOperator.Equal, "cart") },
        { "resource", true, Compare(Field.Attribute(FieldScope.Resource, "both"), ComparisonOperator.Equal, "resource") },
        { "instrumentation", true, Compare(Field.Attribute(FieldScope.InstrumentationScope, "scoped"), ComparisonOperator.Equal, true) },
        { "event", true, Compare(Field.Attribute(FieldScope.Event, "exception.type"), ComparisonOperator.Equal, "Timeout") },
        { "link", true, Compare(Field.Attribute(FieldScope.Link, "link.kind"), ComparisonOperator.Equal, "follows") },
        { "event name, any", true, Compare(Field.Of(Intrinsic.EventName), ComparisonOperator.Equal, "log") },
        { "scope name", true, Compare(Field.Of(Intrinsic.ScopeName), ComparisonOperator.Equal, "lib") },
        { "scope version", false, Compare(Field.Of(Intrinsic.ScopeVersion), ComparisonOperator.Equal, "3.0") },
        { "name", true, Compare(Field.Of(Intrinsic.Name), ComparisonOperator.Equal, "GET /cart") },
        { "kind", true, Compare(Field.Of(Intrinsic.Kind), ComparisonOperator.Equal, (long)SpanKind.Server) },
        { "status", true, Compare(Field.Of(Intrinsic.Status), ComparisonOperator.Equal, (long)StatusCode.Error) },
        { "duration above", true, Compare(Field.Of(Intrinsic.Duration), ComparisonOperator.Greater, 1_499L) },
        { "duration not above itself", false, Compare(Field.Of(Intrinsic.Duration), ComparisonOperator.Greater, 1_500L) },
        { "duration with a fraction", true, Compare(Field.Of(Intrinsic.Duration), ComparisonOperator.GreaterOrEqual, 1_499.5) },
        { "duration unequal", false, Compare(Field.Of(Intrinsic.Duration), ComparisonOperator.NotEqual, 1_500L) },
        { "trace id", true, Compare(Field.Of(Intrinsic.TraceId), ComparisonOperator.Equal, "00000000000000000000000000000001") },
        { "span id", true, Compare(Field.Of(Intrinsic.SpanId), ComparisonOperator.Equal, "000000000000002A") },
        { "parent of a root is empty", true, Compare(Field.Of(Intrinsic.ParentSpanId), ComparisonOperator.Equal, "") },
        { "parent of a root is nil", true, new ExistsFilter(Field.Of(Intrinsic.ParentSpanId), false) },
        { "an id that is none", false, Compare(Field.Of(Intrinsic.SpanId), ComparisonOperator.Equal, "nonsense") },
        { "root name", true, Compare(Field.Of(Intrinsic.RootName), ComparisonOperator.Equal, "GET /cart") },
        { "trace duration", true, Compare(Field.Of(Intrinsic.TraceDuration), ComparisonOperator.Equal, 1_500L) },
        { "regex is anchored", false, Regex(Field.Of(Intrinsic.Name), "GET") },
        { "regex", true, Regex(Field.Of(Intrinsic.Name), "GET .*") },
        { "regex negated", true, Regex(Field.Of(Intrinsic.Name), "POST .*", negated: true) },
        { "regex negated on a missing attribute", false, Regex(Own("missing"), "x", negated: true) },
        { "regex sees U+FFFD for invalid UTF-8", true, Regex(Own("bad"), "a\uFFFDb") },
        { "contains ignores case", true, new ContainsFilter(Own("s"), "STRA") },
        { "contains ignores case beyond ASCII", true, new ContainsFilter(Own("s"), "raß") },
        { "contains not", false, new ContainsFilter(Own("s"), "strasse") },
        { "contains on a number", false, new ContainsFilter(Own("i"), "5") },
        { "contains around invalid UTF-8", true, new ContainsFilter(Own("bad"), "B") },
        { "exists", true, new ExistsFilter(Own("empty"), true) },
        { "exists not", true, new ExistsFilter(Own("missing"), false) },
        { "text of a double", true, new TextEqualFilter("d", [FieldScope.Record], "2") },
        { "text of bytes", true, new TextEqualFilter("bytes", [FieldScope.Record], "AQID") },
        { "text of a bool", true, new TextEqualFilter("t", [FieldScope.Record], "true") },
        { "text in another scope", true, new TextEqualFilter("exception.type", [FieldScope.Record, FieldScope.Resource, FieldScope.Event], "Timeout") },
        { "text not there", false, new TextEqualFilter("exception.type", [FieldScope.Record, FieldScope.Resource], "Timeout") },
        { "a log record's field", false, Compare(Field.Of(Intrinsic.Severity), ComparisonOperator.GreaterOrEqual, 0L) },
        { "not", true, new NotFilter(Compare(Own("missing"), ComparisonOperator.Equal, "x")) },
        { "and", false, new AndFilter([Filter.All, Compare(Own("i"), ComparisonOperator.Less, 5L)]) },
        { "or", true, new OrFilter([Compare(Own("i"), ComparisonOperator.Less, 5L), Compare(Own("i"), ComparisonOperator.LessOrEqual, 5L)]) },
    };

    [Theory]
    [MemberData(nameof(Conditions))]
    public async Task SearchTraces_Condition_HoldsAsItsNameSays(string name, bool expected, Filter filter)
    {
        var source = new HeadSource(TestRecord.ToBatch(Signal.Traces, Span));
        var result = await new StoreSearch(TimeProvider.System).SearchTracesAsync(
            [source], new TraceQuery(filter, TimeRange.All, TraceOrder.Newest, 10), QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.True(expected == (result.Traces.Count == 1), name);
    }

    public static TheoryData<string, bool, Filter> LogConditions => new()
    {
        { "severity range", true, Compare(Field.Of(Intrinsic.Severity), ComparisonOperator.GreaterOrEqual, (long)SeverityNumber.Warn) },
        { "severity below", false, Compare(Field.Of(Intrinsic.Severity), ComparisonOperator.Less, (long)SeverityNumber.Error) },
        { "body of a number as text", true, Compare(Field.Of(Intrinsic.Body), ComparisonOperator.Equal, "404") },
        { "body contains", true, new ContainsFilter(Field.Of(Intrinsic.Body), "40") },
        { "body has no number", false, Compare(Field.Of(Intrinsic.Body), ComparisonOperator.Equal, 404L) },
        { "no trace", true, new ExistsFilter(Field.Of(Intrinsic.TraceId), false) },
        { "no trace is unequal to none", false, Compare(Field.Of(Intrinsic.TraceId), ComparisonOperator.NotEqual, "00000000000000000000000000000001") },
        { "a span's field", false, new ExistsFilter(Field.Of(Intrinsic.Duration), true) },
        { "an event's", true, new ExistsFilter(Field.Attribute(FieldScope.Event, "x"), false) },
    };

    [Theory]
    [MemberData(nameof(LogConditions))]
    public async Task SearchLogs_Condition_HoldsAsItsNameSays(string name, bool expected, Filter filter)
    {
        var source = new HeadSource(TestRecord.ToBatch(Signal.Logs, new TestRecord { Time = 1, Severity = SeverityNumber.Error, Body = AttributeValue.FromInt64(404) }));
        var result = await new StoreSearch(TimeProvider.System).SearchLogsAsync(
            [source], new LogQuery(filter, TimeRange.All, 10), QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.True(expected == (result.Records.Rows == 1), name);
    }
}

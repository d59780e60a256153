using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Telemetry.Tests.Filters;

/// <summary>Random filters of the shapes that the parser gives.</summary>
internal sealed class FilterGenerator(Random random, Signal signal)
{
    private static readonly string[] s_texts = ["", "x", "cart", "a b", "\"quoted\"", "back\\slash", "new\nline", "é値", "nil", "true", "5", "5ms", "span.x", "and", "\u0001", "`"];
    private static readonly string[] s_keys = ["a", "service.name", "http.route", "my key", "\"", "=", "and", "", "nil", ".", "a.", "resource.x", "値", "line\nbreak"];
    private static readonly string[] s_patterns = ["a|b", "/api/.*", "\\d+", "", "\"", "x{3}"];

    public Filter Next(int depth) => random.Next(depth > 0 ? 6 : 3) switch
    {
        3 => Filter.And(Operands(depth)),
        4 => Filter.Or(Operands(depth)),
        5 => new NotFilter(Next(depth - 1)),
        _ => Leaf(),
    };

    private Filter[] Operands(int depth) => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Next(depth - 1))];

    private Filter Leaf() => random.Next(8) switch
    {
        0 => new ExistsFilter(Attribute(), random.Next(2) == 0),
        1 => new RegexFilter(TextField(), FilterRegex.Create(Pick(s_patterns)), random.Next(2) == 0),
        2 => new ContainsFilter(TextField(), Pick(s_texts)),
        3 => new ComparisonFilter(Attribute(), Equality(), AttributeValue.FromBool(random.Next(2) == 0)),
        4 => new ComparisonFilter(Attribute(), Operator(), Number()),
        5 => new ComparisonFilter(TextField(), Operator(), AttributeValue.FromString(Pick(s_texts))),
        6 => signal == Signal.Logs ? Severity() : new ComparisonFilter(Field.Of(Intrinsic.Duration), Operator(), AttributeValue.FromInt64(random.NextInt64(-5, 1L << random.Next(1, 62)))),
        _ => signal == Signal.Logs ? Severity() : new ComparisonFilter(Field.Of(Intrinsic.Kind), Equality(), AttributeValue.FromInt64(random.Next(6))),
    };

    private Filter Severity() => random.Next(2) == 0
        ? new ComparisonFilter(Field.Of(Intrinsic.Severity), Operator(), AttributeValue.FromInt64(random.Next(25)))
        : FilterParser.Parse($"severity {Pick(["=", "!=", "<", ">", "<=", ">="])} {Pick(["trace", "warn", "fatal"])}", signal);

    private Field TextField() => random.Next(3) switch
    {
        0 => Field.Of(signal == Signal.Logs ? Intrinsic.Body : Intrinsic.RootName),
        1 => Field.Of(Intrinsic.Name),
        _ => Attribute(),
    };

    private Field Attribute()
    {
        FieldScope[] scopes = signal == Signal.Logs
            ? [FieldScope.Any, FieldScope.Record, FieldScope.Resource, FieldScope.InstrumentationScope]
            : [FieldScope.Any, FieldScope.Record, FieldScope.Resource, FieldScope.InstrumentationScope, FieldScope.Event, FieldScope.Link];
        return Field.Attribute(Pick(scopes), Pick(s_keys));
    }

    private AttributeValue Number() => random.Next(3) switch
    {
        0 => AttributeValue.FromInt64(random.NextInt64(long.MinValue, long.MaxValue)),
        1 => AttributeValue.FromInt64(random.Next(-10, 1000)),
        _ => AttributeValue.FromDouble(Pick([0.0, 5, 1.5, -2.25, 1e300, 5e-324, double.MaxValue, random.NextDouble()])),
    };

    private ComparisonOperator Operator() => (ComparisonOperator)random.Next(6);

    private ComparisonOperator Equality() => (ComparisonOperator)random.Next(2);

    private T Pick<T>(T[] values) => values[random.Next(values.Length)];
}

using System.Numerics;
using System.Text;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

/// <summary>The meaning of a filter, one record at a time and in the plainest way: what the column operations are compared with.</summary>
internal sealed class NaiveFilter(Signal signal, IReadOnlyList<TestRecord> all)
{
    public bool Matches(Filter filter, TestRecord record) => filter switch
    {
        AllFilter => true,
        AndFilter and => and.Filters.All(operand => Matches(operand, record)),
        OrFilter or => or.Filters.Any(operand => Matches(operand, record)),
        NotFilter not => !Matches(not.Operand, record),
        // A root has no parent, though its parent id compares as "".
        ExistsFilter { Field.Intrinsic: Telemetry.Filters.Intrinsic.ParentSpanId } exists => (signal == Signal.Traces && !record.Parent.IsZero) == exists.Exists,
        ExistsFilter exists => Values(exists.Field, record).Any() == exists.Exists,
        // Ids compare by = and != only.
        RegexFilter { Field.Intrinsic: Telemetry.Filters.Intrinsic.TraceId or Telemetry.Filters.Intrinsic.SpanId or Telemetry.Filters.Intrinsic.ParentSpanId } => false,
        ContainsFilter { Field.Intrinsic: Telemetry.Filters.Intrinsic.TraceId or Telemetry.Filters.Intrinsic.SpanId or Telemetry.Filters.Intrinsic.ParentSpanId } => false,
        ComparisonFilter comparison => Texts(comparison.Field, record).Any(value => Compare(comparison.Operator, value, comparison.Value)),
        RegexFilter regex => Texts(regex.Field, record).Any(value => value.Type == AttributeType.String && regex.Pattern.IsMatch(value.AsString()) != regex.Negated),
        ContainsFilter contains => Texts(contains.Field, record).Any(value => value.Type == AttributeType.String && value.AsString().Contains(contains.Text, StringComparison.OrdinalIgnoreCase)),
        TextEqualFilter text => text.Scopes.Any(scope => Values(Field.Attribute(scope, text.Key), record).Any(value => value.ToString() == text.Text)),
        _ => throw new NotSupportedException(filter.GetType().Name),
    };

    /// <summary>The values a field has in a record: none, one, or those of all events or links.</summary>
    public IEnumerable<AttributeValue> Values(Field field, TestRecord record) => field.Scope switch
    {
        FieldScope.Record => Attribute(record.Attributes, field.Key),
        FieldScope.Resource => Attribute(record.Resource.Attributes, field.Key),
        FieldScope.InstrumentationScope => Attribute(record.Scope.Attributes, field.Key),
        FieldScope.Any => Attribute(record.Attributes, field.Key).Concat(Attribute(record.Resource.Attributes, field.Key)).Take(1),
        FieldScope.Event => record.Events.SelectMany(child => Attribute(child.Attributes, field.Key)),
        FieldScope.Link => record.Links.SelectMany(child => Attribute(child.Attributes, field.Key)),
        _ => Intrinsic(field.Intrinsic, record),
    };

    /// <summary>The values as conditions see them: a body is text.</summary>
    private IEnumerable<AttributeValue> Texts(Field field, TestRecord record) => field.Intrinsic == Telemetry.Filters.Intrinsic.Body
        ? Values(field, record).Select(value => value.Type == AttributeType.String ? value : AttributeValue.FromString(value.ToString()))
        : Values(field, record);

    private static IEnumerable<AttributeValue> Attribute((string Key, AttributeValue Value)[] attributes, string key) =>
        attributes.Where(attribute => attribute.Key == key).TakeLast(1).Select(attribute => attribute.Value);

    private IEnumerable<AttributeValue> Intrinsic(Intrinsic intrinsic, TestRecord record)
    {
        var spans = signal == Signal.Traces;
        return intrinsic switch
        {
            Telemetry.Filters.Intrinsic.Name => [AttributeValue.FromString(record.Name)],
            Telemetry.Filters.Intrinsic.Kind when spans => [AttributeValue.FromInt64((long)record.Kind)],
            Telemetry.Filters.Intrinsic.Status when spans => [AttributeValue.FromInt64((long)record.Status)],
            Telemetry.Filters.Intrinsic.StatusMessage when spans => [AttributeValue.FromString(record.StatusMessage)],
            Telemetry.Filters.Intrinsic.Duration when spans => [AttributeValue.FromInt64(record.Duration)],
            Telemetry.Filters.Intrinsic.EventName when spans => record.Events.Select(child => AttributeValue.FromString(child.Name)),
            Telemetry.Filters.Intrinsic.ScopeName => [AttributeValue.FromString(record.Scope.Name)],
            Telemetry.Filters.Intrinsic.ScopeVersion => [AttributeValue.FromString(record.Scope.Version)],
            Telemetry.Filters.Intrinsic.Severity when !spans => [AttributeValue.FromInt64(record.Severity)],
            Telemetry.Filters.Intrinsic.SeverityText when !spans => [AttributeValue.FromString(record.SeverityText)],
            Telemetry.Filters.Intrinsic.Body when !spans && record.Body.Type != AttributeType.Empty => [record.Body],
            Telemetry.Filters.Intrinsic.TraceId when !record.TraceId.IsZero => [AttributeValue.FromString(record.TraceId.ToString())],
            Telemetry.Filters.Intrinsic.SpanId when !record.SpanId.IsZero => [AttributeValue.FromString(record.SpanId.ToString())],
            Telemetry.Filters.Intrinsic.ParentSpanId when spans => [AttributeValue.FromString(record.Parent.IsZero ? "" : record.Parent.ToString())],
            Telemetry.Filters.Intrinsic.RootName when spans => [AttributeValue.FromString(Root(record).Name)],
            Telemetry.Filters.Intrinsic.RootServiceName when spans => [AttributeValue.FromString(Root(record).ServiceName)],
            Telemetry.Filters.Intrinsic.TraceDuration when spans => [AttributeValue.FromInt64(Trace(record).Max(span => span.Time + span.Duration) - Trace(record).Min(span => span.Time))],
            _ => [],
        };
    }

    private IEnumerable<TestRecord> Trace(TestRecord record) => all.Where(span => span.TraceId == record.TraceId);

    private TestRecord Root(TestRecord record)
    {
        var trace = Trace(record).OrderBy(span => span.Time).ThenBy(span => span.SpanId).ToList();
        return trace.Find(span => span.Parent.IsZero || span.Parent == span.SpanId) ?? trace.Find(span => !trace.Exists(parent => parent.SpanId == span.Parent)) ?? trace[0];
    }

    private static bool Compare(ComparisonOperator comparison, AttributeValue value, AttributeValue literal)
    {
        if (value.Type is AttributeType.Int64 or AttributeType.Double && literal.Type is AttributeType.Int64 or AttributeType.Double)
        {
            if (double.IsNaN(value.AsDouble()) || double.IsNaN(literal.AsDouble()))
            {
                return false;
            }
            return Holds(comparison, Exact(value).CompareTo(Exact(literal)));
        }
        if (value.Type != literal.Type)
        {
            return false;
        }
        var ordered = value.Type == AttributeType.String;
        var order = ordered ? value.Content.SequenceCompareTo(literal.Content) : value == literal ? 0 : 1;
        return (ordered || comparison is ComparisonOperator.Equal or ComparisonOperator.NotEqual) && Holds(comparison, order);
    }

    /// <summary>Numbers as integers, scaled so that every finite test value is exact; infinities beyond all of them.</summary>
    private static BigInteger Exact(AttributeValue value)
    {
        const int scaleBits = 1074;
        if (value.Type == AttributeType.Int64)
        {
            return (BigInteger)value.AsInt64() << scaleBits;
        }
        var number = value.AsDouble();
        if (double.IsInfinity(number))
        {
            return (number > 0 ? BigInteger.One : BigInteger.MinusOne) << 4000;
        }
        var bits = BitConverter.DoubleToInt64Bits(number);
        var exponent = (int)(bits >> 52 & 0x7FF);
        BigInteger mantissa = bits & 0xFFFFFFFFFFFFF | (exponent == 0 ? 0 : 1L << 52);
        return (number < 0 ? -mantissa : mantissa) << Math.Max(exponent - 1, 0);
    }

    private static bool Holds(ComparisonOperator comparison, int order) => comparison switch
    {
        ComparisonOperator.Equal => order == 0,
        ComparisonOperator.NotEqual => order != 0,
        ComparisonOperator.Less => order < 0,
        ComparisonOperator.LessOrEqual => order <= 0,
        ComparisonOperator.Greater => order > 0,
        _ => order >= 0,
    };
}

using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Apm.Telemetry.Attributes;

namespace Apm.Telemetry.Filters;

/// <summary>Writes a filter in the one form the product shows: <see cref="FilterParser.Parse"/> of it gives the same filter.</summary>
public static class FilterFormatter
{
    /// <summary>"" for <see cref="Filter.All"/>.</summary>
    /// <exception cref="ArgumentException">The filter holds what the language cannot say: a <see cref="TextEqualFilter"/>, or a literal of bytes, an array or a list.</exception>
    public static string Format(Filter filter, Signal signal)
    {
        if (filter is AllFilter)
        {
            return "";
        }
        var builder = new StringBuilder();
        Append(builder, filter, signal, nested: false);
        return builder.ToString();
    }

    /// <summary>The parts that && joins at the top, as a filter bar shows them: each one is a filter of its own.</summary>
    public static IReadOnlyList<Filter> Terms(Filter filter)
    {
        switch (filter)
        {
            case AllFilter:
                return [];
            case AndFilter and:
                var terms = new List<Filter>();
                for (var i = 0; i < and.Filters.Length; i++)
                {
                    if (SeverityWord(and.Filters, i, ComparisonOperator.GreaterOrEqual, ComparisonOperator.LessOrEqual) is not null)
                    {
                        terms.Add(new AndFilter([and.Filters[i], and.Filters[i + 1]]));
                        i++;
                    }
                    else
                    {
                        terms.Add(and.Filters[i]);
                    }
                }
                return terms;
            default:
                return [filter];
        }
    }

    /// <summary>A literal as a filter writes it on the right of the field.</summary>
    public static string FormatValue(Field field, ComparisonOperator compared, AttributeValue value)
    {
        if (field.Scope == FieldScope.Intrinsic && value.Type == AttributeType.Int64)
        {
            switch (IntrinsicNames.KindOf(field.Intrinsic))
            {
                case IntrinsicNames.ValueKind.Duration:
                    return DurationText.Format(value.Bits);
                case IntrinsicNames.ValueKind.Kind when value.Bits >= 0 && value.Bits < FilterLiteral.Kinds.Count:
                    return FilterLiteral.Kinds[(int)value.Bits];
                case IntrinsicNames.ValueKind.Status when value.Bits >= 0 && value.Bits < FilterLiteral.Statuses.Count:
                    return FilterLiteral.Statuses[(int)value.Bits];
                case IntrinsicNames.ValueKind.Severity:
                    return SeverityBound(compared, value.Bits);
            }
        }
        return value.Type switch
        {
            AttributeType.String => FieldFormatter.Quote(value.AsString()),
            AttributeType.Bool => value.AsBool() ? "true" : "false",
            AttributeType.Int64 => value.Bits.ToString(CultureInfo.InvariantCulture),
            AttributeType.Double when double.IsFinite(value.AsDouble()) => FormatDouble(value.AsDouble()),
            _ => throw new ArgumentException($"a filter has no literal of type {value.Type}", nameof(value)),
        };
    }

    /// <summary>The word a comparison with a whole severity range is written with (<c>= warn</c>), when the two filters at <paramref name="index"/> are one.</summary>
    internal static string? SeverityWord(ImmutableArray<Filter> filters, int index, ComparisonOperator lower, ComparisonOperator upper)
    {
        if (index + 1 >= filters.Length
            || filters[index] is not ComparisonFilter { Field.Intrinsic: Intrinsic.Severity } low || low.Operator != lower
            || filters[index + 1] is not ComparisonFilter { Field.Intrinsic: Intrinsic.Severity } high || high.Operator != upper
            || high.Value.Bits - low.Value.Bits != FilterLiteral.SeverityRange - 1)
        {
            return null;
        }
        foreach (var (word, first) in FilterLiteral.Severities)
        {
            if (first != 0 && first == low.Value.Bits)
            {
                return word;
            }
        }
        return null;
    }

    private static void Append(StringBuilder builder, Filter filter, Signal signal, bool nested)
    {
        switch (filter)
        {
            case AllFilter:
                builder.Append("true");
                break;
            case AndFilter and:
                AppendJoined(builder, and.Filters, " && ", "severity = ", ComparisonOperator.GreaterOrEqual, ComparisonOperator.LessOrEqual, signal);
                break;
            case OrFilter or:
                var alone = or.Filters.Length == 2 && SeverityWord(or.Filters, 0, ComparisonOperator.Less, ComparisonOperator.Greater) is not null;
                builder.Append(nested && !alone ? "(" : "");
                AppendJoined(builder, or.Filters, " || ", "severity != ", ComparisonOperator.Less, ComparisonOperator.Greater, signal);
                builder.Append(nested && !alone ? ")" : "");
                break;
            case NotFilter { Operand: AllFilter }:
                builder.Append("false");
                break;
            case NotFilter not:
                builder.Append("!(");
                Append(builder, not.Operand, signal, nested: false);
                builder.Append(')');
                break;
            case ExistsFilter exists:
                builder.Append(FieldFormatter.Format(exists.Field, signal)).Append(exists.Exists ? " != nil" : " = nil");
                break;
            case ComparisonFilter comparison:
                builder.Append(FieldFormatter.Format(comparison.Field, signal)).Append(' ').Append(Symbol(comparison.Operator)).Append(' ')
                    .Append(FormatValue(comparison.Field, comparison.Operator, comparison.Value));
                break;
            case RegexFilter regex:
                builder.Append(FieldFormatter.Format(regex.Field, signal)).Append(regex.Negated ? " !~ " : " =~ ")
                    .Append(FieldFormatter.Quote(FilterRegex.PatternOf(regex.Pattern)));
                break;
            case ContainsFilter contains:
                builder.Append(FieldFormatter.Format(contains.Field, signal)).Append(" contains ").Append(FieldFormatter.Quote(contains.Text));
                break;
            default:
                throw new ArgumentException($"{filter.GetType().Name} cannot be written as a filter", nameof(filter));
        }
    }

    private static void AppendJoined(
        StringBuilder builder, ImmutableArray<Filter> filters, string separator, string severity, ComparisonOperator lower, ComparisonOperator upper, Signal signal)
    {
        for (var i = 0; i < filters.Length; i++)
        {
            builder.Append(i > 0 ? separator : "");
            var word = SeverityWord(filters, i, lower, upper);
            if (word is not null)
            {
                builder.Append(severity).Append(word);
                i++;
            }
            else
            {
                Append(builder, filters[i], signal, nested: separator == " && ");
            }
        }
    }

    internal static string Symbol(ComparisonOperator compared) => compared switch
    {
        ComparisonOperator.Equal => "=",
        ComparisonOperator.NotEqual => "!=",
        ComparisonOperator.Less => "<",
        ComparisonOperator.LessOrEqual => "<=",
        ComparisonOperator.Greater => ">",
        _ => ">=",
    };

    /// <summary>The word for a bound that lies at the edge of a range on the operator's side, else the number.</summary>
    private static string SeverityBound(ComparisonOperator compared, long number)
    {
        var first = compared switch
        {
            ComparisonOperator.Less or ComparisonOperator.GreaterOrEqual => number,
            ComparisonOperator.Greater or ComparisonOperator.LessOrEqual => number - (FilterLiteral.SeverityRange - 1),
            _ => 0,
        };
        foreach (var (word, start) in FilterLiteral.Severities)
        {
            if (start != 0 && start == first)
            {
                return word;
            }
        }
        return number.ToString(CultureInfo.InvariantCulture);
    }

    private static string FormatDouble(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny(".E") < 0 ? text + ".0" : text;
    }
}

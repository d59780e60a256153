using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Apm.Telemetry.Attributes;

namespace Apm.Telemetry.Filters;

/// <summary>
/// A parsed filter: TraceQL's spanset filter over one span, or the same language over one log record. Immutable; evaluated by the store, column by column.
/// A comparison with an attribute that a record lacks is false, also for != and !~ (TraceQL); "absent" is asked with <see cref="ExistsFilter"/>.
/// </summary>
public abstract record Filter
{
    /// <summary><c>{ }</c>: every record.</summary>
    public static readonly Filter All = new AllFilter();

    public static Filter And(params ReadOnlySpan<Filter> filters)
    {
        var kept = ImmutableArray.CreateBuilder<Filter>(filters.Length);
        foreach (var filter in filters)
        {
            switch (filter)
            {
                case AllFilter:
                    break;
                case AndFilter and:
                    kept.AddRange(and.Filters);
                    break;
                default:
                    kept.Add(filter);
                    break;
            }
        }
        return kept.Count switch { 0 => All, 1 => kept[0], _ => new AndFilter(kept.ToImmutable()) };
    }

    /// <summary>An operand that is itself an "or" is taken apart; <see cref="All"/> among the operands makes the whole All; none: no record.</summary>
    public static Filter Or(params ReadOnlySpan<Filter> filters)
    {
        var kept = ImmutableArray.CreateBuilder<Filter>(filters.Length);
        foreach (var filter in filters)
        {
            switch (filter)
            {
                case AllFilter:
                    return All;
                case NotFilter { Operand: AllFilter }:
                    break;
                case OrFilter or:
                    kept.AddRange(or.Filters);
                    break;
                default:
                    kept.Add(filter);
                    break;
            }
        }
        return kept.Count switch { 0 => new NotFilter(All), 1 => kept[0], _ => new OrFilter(kept.ToImmutable()) };
    }

    public static Filter Equal(Field field, AttributeValue value) => new ComparisonFilter(field, ComparisonOperator.Equal, value);
}

public sealed record AllFilter : Filter;

public sealed record AndFilter(ImmutableArray<Filter> Filters) : Filter;

public sealed record OrFilter(ImmutableArray<Filter> Filters) : Filter;

public sealed record NotFilter(Filter Operand) : Filter;

/// <summary><c>field = nil</c> (Exists false) or <c>field != nil</c> (Exists true).</summary>
public sealed record ExistsFilter(Field Field, bool Exists) : Filter;

/// <summary>
/// <c>field op literal</c>. Int64 and Double compare as numbers with each other; strings by ordinal UTF-8; Bool only = and !=;
/// a literal of another type than the value never matches.
/// </summary>
public sealed record ComparisonFilter(Field Field, ComparisonOperator Operator, AttributeValue Value) : Filter;

/// <summary><c>field =~ "pattern"</c> or <c>!~</c>: anchored at both ends as in TraceQL; non-backtracking, so that no pattern can stall a query.</summary>
public sealed record RegexFilter(Field Field, Regex Pattern, bool Negated) : Filter;

/// <summary>Jaeger's search compares an attribute's text whatever its type: <see cref="AttributeValue.ToString"/> equals <paramref name="Text"/>. Looks in all of the scopes given.</summary>
public sealed record TextEqualFilter(string Key, ImmutableArray<FieldScope> Scopes, string Text) : Filter;

/// <summary>A case-insensitive substring of a string field: the free text box of logs (<c>body contains</c>), also <c>field contains "text"</c>.</summary>
public sealed record ContainsFilter(Field Field, string Text) : Filter;

public enum ComparisonOperator
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

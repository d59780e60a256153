using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Query.Attributes;

/// <summary>The terms of a filter taken apart for the chips of a filter bar.</summary>
internal static class FilterTerms
{
    public static FilterTermAnswer Describe(Filter term, Signal signal)
    {
        var text = FilterFormatter.Format(term, signal);
        var field = term switch
        {
            ComparisonFilter comparison => comparison.Field,
            RegexFilter regex => regex.Field,
            ContainsFilter contains => contains.Field,
            ExistsFilter exists => exists.Field,
            // The two bounds that "severity = warn" stands for.
            AndFilter all when all.Filters[0] is ComparisonFilter bound => bound.Field,
            OrFilter any when any.Filters[0] is ComparisonFilter bound && text == $"severity != {text[(text.LastIndexOf(' ') + 1)..]}" => bound.Field,
            _ => null,
        };
        if (field is null)
        {
            return new FilterTermAnswer(text, null, null, null);
        }
        // The canonical text is "field operator value", with one space between.
        var name = FieldFormatter.Format(field, signal);
        var rest = text[(name.Length + 1)..];
        var space = rest.IndexOf(' ', StringComparison.Ordinal);
        return new FilterTermAnswer(text, name, rest[..space], rest[(space + 1)..]);
    }
}

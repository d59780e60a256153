using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Apm.Web.Pages;

/// <summary>A term of the filter as the facets write it: <c>field = a</c> or <c>(field = a || field = b)</c>; any other term has no field.</summary>
internal sealed partial record FacetTerm(string Text, string? Field, ImmutableArray<string> Values)
{
    public static ImmutableArray<FacetTerm> Read(string filter) => [.. FilterText.Terms(filter).Select(Of)];

    /// <summary>The filter without the terms of a field, so that its other values can be counted.</summary>
    public static string Without(IEnumerable<FacetTerm> terms, string field) =>
        FilterText.And([.. terms.Where(term => term.Field != field).Select(term => term.Text)]);

    private static FacetTerm Of(string text)
    {
        var inner = text.StartsWith('(') && text.EndsWith(')') ? text[1..^1] : text;
        string? field = null;
        var values = ImmutableArray.CreateBuilder<string>();
        var at = 0;
        while (Comparison().Match(inner, at) is { Success: true } match && match.Index == at)
        {
            if (field is not null && field != match.Groups["field"].Value)
                return new FacetTerm(text, null, []);
            field = match.Groups["field"].Value;
            values.Add(match.Groups["word"].Success ? match.Groups["word"].Value : Regex.Unescape(match.Groups["string"].Value));
            at = match.Index + match.Length;
        }
        return at == inner.Length && field is not null ? new FacetTerm(text, field, values.ToImmutable()) : new FacetTerm(text, null, []);
    }

    [GeneratedRegex("""\s*(?<field>(?:[\w.:-]|"(?:[^"\\]|\\.)*")+)\s*=\s*(?:"(?<string>(?:[^"\\]|\\.)*)"|(?<word>[\w.:-]+))\s*(?:\|\||$)""", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Comparison();
}

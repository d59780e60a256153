namespace Apm.Telemetry.Filters;

public enum FilterExpectation
{
    Field,
    Operator,
    Value,
    /// <summary><c>&amp;&amp;</c>, <c>||</c>, or the end.</summary>
    Conjunction,
}

/// <summary>What may stand at the caret of an unfinished filter, for completion as one types.</summary>
/// <param name="ReplaceFrom">Offset of the first character that an accepted completion replaces.</param>
/// <param name="ReplaceTo">Offset one past the last.</param>
/// <param name="Prefix">What of it stands before the caret, quotes and escapes resolved.</param>
/// <param name="Field">For Operator and Value: the field of the comparison; null when it is not one.</param>
public sealed record FilterCompletion(FilterExpectation Expecting, int ReplaceFrom, int ReplaceTo, string Prefix, Field? Field)
{
    /// <summary>Never throws for any text: what cannot be read is passed over.</summary>
    /// <param name="caret">Offset in <paramref name="text"/>; clamped to it.</param>
    public static FilterCompletion At(string text, int caret, Signal signal)
    {
        if (text.Length > FilterLimits.MaxTextChars)
        {
            text = text[..FilterLimits.MaxTextChars];
        }
        caret = Math.Clamp(caret, 0, text.Length);
        var lexer = new FilterLexer(text);
        var expecting = FilterExpectation.Field;
        FilterToken field = default;
        while (true)
        {
            var token = lexer.Next(lenient: true);
            if (token.Kind == FilterTokenKind.End || token.Start >= caret)
            {
                return new FilterCompletion(expecting, caret, caret, "", FieldOf(text, field, expecting, signal));
            }
            var isText = token.Kind is FilterTokenKind.Word or FilterTokenKind.String || token.Text.Length > 0;
            var open = token.End > caret || (token.End == caret && token.Kind != FilterTokenKind.String) || (token.Kind == FilterTokenKind.String && lexer.Unterminated);
            if (isText && open)
            {
                return new FilterCompletion(expecting, token.Start, token.End, PrefixOf(text, token, caret), FieldOf(text, field, expecting, signal));
            }
            (expecting, field) = Next(expecting, field, token);
        }
    }

    private static (FilterExpectation Expecting, FilterToken Field) Next(FilterExpectation expecting, FilterToken field, FilterToken token) => token.Kind switch
    {
        FilterTokenKind.OpenBrace or FilterTokenKind.Open or FilterTokenKind.And or FilterTokenKind.Or or FilterTokenKind.Not => (FilterExpectation.Field, default),
        FilterTokenKind.CloseBrace or FilterTokenKind.Close => (FilterExpectation.Conjunction, default),
        FilterTokenKind.Word or FilterTokenKind.String => expecting == FilterExpectation.Field ? (FilterExpectation.Operator, token) : (FilterExpectation.Conjunction, default),
        _ => (FilterExpectation.Value, field),
    };

    private static string PrefixOf(string text, in FilterToken token, int caret)
    {
        if (caret >= token.End)
        {
            return token.Text;
        }
        return new FilterLexer(text[token.Start..caret]).Next(lenient: true).Text;
    }

    private static Field? FieldOf(string text, in FilterToken token, FilterExpectation expecting, Signal signal)
    {
        if (expecting is not (FilterExpectation.Operator or FilterExpectation.Value) || token.Kind != FilterTokenKind.Word)
        {
            return null;
        }
        try
        {
            return FieldParser.Parse(text, token, signal);
        }
        catch (FilterSyntaxException)
        {
            // The person is still typing: an unknown field has no values to offer, and the parser reports it once the filter is run.
            return null;
        }
    }
}

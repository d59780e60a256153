namespace Apm.Telemetry.Filters;

/// <summary>Reads one field as filters and the <c>by=</c> and <c>field=</c> parameters write it: <c>resource.service.name</c>, <c>.card.network</c>, <c>span."my key"</c>, <c>duration</c>.</summary>
public static class FieldParser
{
    internal const string ExpectedField = "a field, such as resource.service.name, .http.route or name";

    /// <exception cref="FilterSyntaxException">The text is no field, or one that records of the signal do not have.</exception>
    public static Field Parse(string text, Signal signal)
    {
        if (text.Length > FilterLimits.MaxTextChars)
        {
            throw FilterSyntaxException.At(text, FilterLimits.MaxTextChars, $"at most {FilterLimits.MaxTextChars} characters", "the field is too long");
        }
        var lexer = new FilterLexer(text);
        var token = lexer.Next();
        if (token.Kind != FilterTokenKind.Word)
        {
            throw FilterSyntaxException.At(text, token.Start, ExpectedField, token.Kind == FilterTokenKind.End ? "the field is empty" : "this is no field");
        }
        var field = Parse(text, token, signal);
        var rest = lexer.Next();
        return rest.Kind == FilterTokenKind.End
            ? field
            : throw FilterSyntaxException.At(text, rest.Start, "the end of the field", "there is more text after the field");
    }

    internal static Field Parse(string text, in FilterToken token, Signal signal)
    {
        var word = token.Text;
        var plain = word.AsSpan(0, token.PlainChars);
        if (plain.StartsWith('.'))
        {
            return Attribute(text, token, FieldScope.Any, 1);
        }
        var scopeChars = plain.IndexOf('.') + 1;
        switch (scopeChars == 0 ? default : plain[..scopeChars])
        {
            case "resource.":
                return Attribute(text, token, FieldScope.Resource, scopeChars);
            case "instrumentation.":
                return Attribute(text, token, FieldScope.InstrumentationScope, scopeChars);
            case "span.":
                return Attribute(text, token, Only(text, token, signal, Signal.Traces, FieldScope.Record, "log."), scopeChars);
            case "log.":
                return Attribute(text, token, Only(text, token, signal, Signal.Logs, FieldScope.Record, "span."), scopeChars);
            case "event.":
                return Attribute(text, token, Only(text, token, signal, Signal.Traces, FieldScope.Event, "log."), scopeChars);
            case "link.":
                return Attribute(text, token, Only(text, token, signal, Signal.Traces, FieldScope.Link, "log."), scopeChars);
            case "parent.":
                throw FilterSyntaxException.At(text, token.Start, "a field of the span itself", "fields of the parent span are not part of a filter");
        }
        if (IntrinsicNames.TryParse(word, out var intrinsic))
        {
            return IntrinsicNames.Has(signal, intrinsic)
                ? Field.Of(intrinsic)
                : throw FilterSyntaxException.At(
                    text, token.Start, $"one of {string.Join(", ", IntrinsicNames.Of(signal).Select(IntrinsicNames.NameOf))}, or an attribute such as .{word}",
                    signal == Signal.Logs ? $"log records have no '{word}'" : $"spans have no '{word}'");
        }
        if (scopeChars > 1)
        {
            return Attribute(text, token, FieldScope.Any, 0);
        }
        throw FilterSyntaxException.At(text, token.Start, ExpectedField, $"unknown field '{Shown(word)}' (an attribute of that name is written .{Shown(word)})");
    }

    private static Field Attribute(string text, in FilterToken token, FieldScope scope, int prefixChars) => token.Text.Length > prefixChars || token.PlainChars < token.End - token.Start
        ? Field.Attribute(scope, token.Text[prefixChars..])
        : throw FilterSyntaxException.At(text, token.End, "an attribute's name", "the attribute's name is missing");

    private static FieldScope Only(string text, in FilterToken token, Signal signal, Signal having, FieldScope scope, string instead) => signal == having
        ? scope
        : throw FilterSyntaxException.At(
            text, token.Start, $"the scope {instead} or resource., or none",
            signal == Signal.Logs ? "log records have no span, event or link attributes" : "spans have no log attributes");

    internal static string Shown(string word) => word.Length <= 40 ? word : string.Concat(word.AsSpan(0, 40), "…");
}

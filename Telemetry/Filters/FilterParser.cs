using System.Collections.Immutable;
using Apm.Telemetry.Attributes;

namespace Apm.Telemetry.Filters;

/// <summary>
/// Reads the filter language (docs/filter.md): TraceQL's spanset filter, with optional braces, and/or/not beside the symbols, bare words as strings, and bare
/// attribute names that contain a dot. Recursive descent, bounded by <see cref="FilterLimits"/>; linear in the text.
/// </summary>
public sealed class FilterParser
{
    private const string ExpectedOperator = "a comparison: = != < <= > >= =~ !~ or contains";

    private readonly FilterLexer _lexer;
    private readonly Signal _signal;
    private FilterToken _token;
    private int _comparisons;
    private int _regexes;

    private FilterParser(string text, Signal signal)
    {
        _lexer = new FilterLexer(text);
        _signal = signal;
        _token = _lexer.Next();
    }

    /// <param name="text">Empty or white space matches every record.</param>
    /// <exception cref="FilterSyntaxException">The text is no filter; the only exception thrown for any text.</exception>
    public static Filter Parse(string text, Signal signal)
    {
        if (text.Length > FilterLimits.MaxTextChars)
        {
            throw FilterSyntaxException.At(
                text, FilterLimits.MaxTextChars, $"a filter of at most {FilterLimits.MaxTextChars} characters", $"the filter has {text.Length} characters");
        }
        return new FilterParser(text, signal).ParseText();
    }

    private Filter ParseText()
    {
        var braced = _token.Kind == FilterTokenKind.OpenBrace;
        if (braced)
        {
            Advance();
        }
        var empty = _token.Kind == (braced ? FilterTokenKind.CloseBrace : FilterTokenKind.End);
        var filter = empty ? Filter.All : ParseOr(0);
        if (braced)
        {
            if (_token.Kind != FilterTokenKind.CloseBrace)
            {
                throw Unexpected("'&&', '||' or '}'");
            }
            Advance();
        }
        if (_token.Kind != FilterTokenKind.End)
        {
            throw Unexpected(braced ? "the end of the filter: it is one pair of braces" : "'&&', '||' or the end of the filter");
        }
        return filter;
    }

    private Filter ParseOr(int nesting)
    {
        var first = ParseAnd(nesting);
        if (_token.Kind != FilterTokenKind.Or)
        {
            return first;
        }
        var operands = new List<Filter> { first };
        while (_token.Kind == FilterTokenKind.Or)
        {
            Advance();
            operands.Add(ParseAnd(nesting));
        }
        return Filter.Or(operands.ToArray());
    }

    private Filter ParseAnd(int nesting)
    {
        var first = ParseOperand(nesting);
        if (_token.Kind != FilterTokenKind.And)
        {
            return first;
        }
        var operands = new List<Filter> { first };
        while (_token.Kind == FilterTokenKind.And)
        {
            Advance();
            operands.Add(ParseOperand(nesting));
        }
        return Filter.And(operands.ToArray());
    }

    private Filter ParseOperand(int nesting)
    {
        if (nesting >= FilterLimits.MaxNesting && _token.Kind is FilterTokenKind.Not or FilterTokenKind.Open)
        {
            throw Unexpected($"at most {FilterLimits.MaxNesting} parentheses and negations inside one another");
        }
        switch (_token.Kind)
        {
            case FilterTokenKind.Not:
                Advance();
                return new NotFilter(ParseOperand(nesting + 1));
            case FilterTokenKind.Open:
                Advance();
                var inner = ParseOr(nesting + 1);
                if (_token.Kind != FilterTokenKind.Close)
                {
                    throw Unexpected("'&&', '||' or ')'");
                }
                Advance();
                return inner;
            case FilterTokenKind.Word or FilterTokenKind.String:
                return ParseComparison();
            default:
                throw Unexpected($"{FieldParser.ExpectedField}, '(' or '!'");
        }
    }

    private Filter ParseComparison()
    {
        var left = _token;
        Advance();
        if (left.Kind == FilterTokenKind.Word && !_token.IsComparison && FilterLiteral.TryParseBool(left.Text, out var constant))
        {
            return constant ? Filter.All : new NotFilter(Filter.All);
        }
        if (++_comparisons > FilterLimits.MaxComparisons)
        {
            throw FilterSyntaxException.At(_lexer.Text, left.Start, $"at most {FilterLimits.MaxComparisons} comparisons", "the filter has too many comparisons");
        }
        var valueFirst = left.Kind == FilterTokenKind.String || FilterLiteral.IsNumeric(left.Text);
        var field = valueFirst ? null : FieldParser.Parse(_lexer.Text, left, _signal);
        if (!_token.IsComparison)
        {
            throw Unexpected(ExpectedOperator);
        }
        var operation = _token;
        Advance();
        var right = _token;
        if (valueFirst)
        {
            if (right.Kind != FilterTokenKind.Word)
            {
                throw Unexpected(FieldParser.ExpectedField);
            }
            field = FieldParser.Parse(_lexer.Text, right, _signal);
            Advance();
            return Compare(field, Mirrored(operation), left);
        }
        if (right.Kind is not (FilterTokenKind.Word or FilterTokenKind.String))
        {
            throw right.Text.Length > 0 ? Unexpected($"a value; the word itself is written \"{right.Text}\"") : Unexpected("a value");
        }
        Advance();
        return Compare(field!, operation, right);
    }

    private FilterToken Mirrored(in FilterToken operation) => operation.Kind switch
    {
        FilterTokenKind.Less => operation with { Kind = FilterTokenKind.Greater },
        FilterTokenKind.LessOrEqual => operation with { Kind = FilterTokenKind.GreaterOrEqual },
        FilterTokenKind.Greater => operation with { Kind = FilterTokenKind.Less },
        FilterTokenKind.GreaterOrEqual => operation with { Kind = FilterTokenKind.LessOrEqual },
        FilterTokenKind.Equal or FilterTokenKind.NotEqual => operation,
        _ => throw FilterSyntaxException.At(_lexer.Text, operation.Start, "= != < <= > or >= after a value", "the pattern must stand on the right"),
    };

    private Filter Compare(Field field, in FilterToken operation, in FilterToken value)
    {
        var literal = new FilterLiteral(_lexer.Text, field, value);
        switch (operation.Kind)
        {
            case FilterTokenKind.Match or FilterTokenKind.NotMatch:
                literal.RequireTextField(operation, "= or !=");
                return new RegexFilter(field, ParseRegex(literal.AsText(), value), operation.Kind == FilterTokenKind.NotMatch);
            case FilterTokenKind.Contains:
                literal.RequireTextField(operation, "= or !=");
                return new ContainsFilter(field, literal.AsText());
        }
        return literal.Compare(operation);
    }

    private System.Text.RegularExpressions.Regex ParseRegex(string pattern, in FilterToken token)
    {
        if (++_regexes > FilterLimits.MaxRegexes)
        {
            throw FilterSyntaxException.At(_lexer.Text, token.Start, $"at most {FilterLimits.MaxRegexes} regular expressions", "the filter has too many regular expressions");
        }
        try
        {
            return FilterRegex.Create(pattern);
        }
        catch (ArgumentException exception)
        {
            throw FilterSyntaxException.At(_lexer.Text, token.Start, "a regular expression that can be matched in linear time", $"this regular expression cannot be used: {exception.Message.TrimEnd('.')}");
        }
    }

    private void Advance() => _token = _lexer.Next();

    private FilterSyntaxException Unexpected(string expected)
    {
        var found = _token.Kind == FilterTokenKind.End
            ? "the filter ends"
            : $"found {FieldParser.Shown(_lexer.Text[_token.Start.._token.End])}";
        return FilterSyntaxException.At(_lexer.Text, _token.Start, expected, found);
    }
}

using System.Globalization;
using System.Text;

namespace Apm.Telemetry.Filters;

/// <summary>
/// Cuts a filter's text into tokens, one at a time. A word is anything that is not white space, an operator, a bracket or a quote; a section of it in double
/// quotes that follows a dot (<c>span."my key"</c>) belongs to it.
/// </summary>
internal sealed class FilterLexer(string text)
{
    private int _position;

    public string Text { get; } = text;

    /// <summary>True when the last string ran to the end of the text without its closing quote, which then is an error unless <paramref name="lenient"/>.</summary>
    public bool Unterminated { get; private set; }

    public FilterToken Next(bool lenient = false)
    {
        while (_position < Text.Length && char.IsWhiteSpace(Text[_position]))
        {
            _position++;
        }
        if (_position == Text.Length)
        {
            return new FilterToken(FilterTokenKind.End, _position, _position, "", 0);
        }
        var c = Text[_position];
        if (c is '"' or '`')
        {
            var start = _position;
            return new FilterToken(FilterTokenKind.String, start, _position, ReadQuoted(lenient), 0) with { End = _position };
        }
        return IsWordChar(c) ? ReadWord(lenient) : ReadSymbol(c, lenient);
    }

    public static bool IsWordChar(char c) => !char.IsWhiteSpace(c) && !char.IsControl(c) && !"{}()=~!<>&|^,\"'`".Contains(c, StringComparison.Ordinal);

    private FilterToken ReadSymbol(char c, bool lenient)
    {
        var next = _position + 1 < Text.Length ? Text[_position + 1] : '\0';
        var (kind, length) = (c, next) switch
        {
            ('{', _) => (FilterTokenKind.OpenBrace, 1),
            ('}', _) => (FilterTokenKind.CloseBrace, 1),
            ('(', _) => (FilterTokenKind.Open, 1),
            (')', _) => (FilterTokenKind.Close, 1),
            ('&', '&') => (FilterTokenKind.And, 2),
            ('|', '|') => (FilterTokenKind.Or, 2),
            ('=', '~') => (FilterTokenKind.Match, 2),
            ('!', '~') => (FilterTokenKind.NotMatch, 2),
            ('!', '=') => (FilterTokenKind.NotEqual, 2),
            ('<', '=') => (FilterTokenKind.LessOrEqual, 2),
            ('>', '=') => (FilterTokenKind.GreaterOrEqual, 2),
            ('=', '=') => (FilterTokenKind.End, 0),
            ('=', _) => (FilterTokenKind.Equal, 1),
            ('<', _) => (FilterTokenKind.Less, 1),
            ('>', _) => (FilterTokenKind.Greater, 1),
            ('!', _) => (FilterTokenKind.Not, 1),
            _ => (FilterTokenKind.End, 0),
        };
        if (length == 0)
        {
            if (!lenient)
            {
                throw SymbolError(c);
            }
            (kind, length) = (c == '=' ? FilterTokenKind.Equal : c == '|' ? FilterTokenKind.Or : FilterTokenKind.And, 1);
        }
        var start = _position;
        _position += length;
        return new FilterToken(kind, start, _position, "", 0);
    }

    private FilterSyntaxException SymbolError(char c) => c switch
    {
        '&' => FilterSyntaxException.At(Text, _position, "'&&'", "a single '&'"),
        '|' => FilterSyntaxException.At(Text, _position, "'||', or the end: pipelines are not part of a filter", "a single '|'"),
        '=' => FilterSyntaxException.At(Text, _position, "'='", "'=='"),
        '\'' => FilterSyntaxException.At(Text, _position, "a string in double quotes or backquotes", "a single quote"),
        _ => FilterSyntaxException.At(Text, _position, "a field, an operator or a value", char.IsControl(c) ? "a control character" : $"'{c}'"),
    };

    private FilterToken ReadWord(bool lenient)
    {
        var start = _position;
        while (_position < Text.Length && IsWordChar(Text[_position]))
        {
            _position++;
        }
        var word = Text[start.._position];
        var plainChars = word.Length;
        if (_position < Text.Length && Text[_position] == '"' && word[^1] == '.')
        {
            word = ReadQuotedSections(word, lenient);
        }
        else
        {
            var keyword = Keyword(word);
            if (keyword != FilterTokenKind.Word)
            {
                return new FilterToken(keyword, start, _position, word, plainChars);
            }
        }
        return new FilterToken(FilterTokenKind.Word, start, _position, word, plainChars);
    }

    private string ReadQuotedSections(string first, bool lenient)
    {
        var builder = new StringBuilder(first);
        while (_position < Text.Length && Text[_position] == '"' && builder[^1] == '.')
        {
            builder.Append(ReadQuoted(lenient));
            var start = _position;
            while (_position < Text.Length && IsWordChar(Text[_position]))
            {
                _position++;
            }
            if (_position == start)
            {
                break;
            }
            builder.Append(Text, start, _position - start);
        }
        return builder.ToString();
    }

    private static FilterTokenKind Keyword(string word) => word.Length switch
    {
        2 when word.Equals("or", StringComparison.OrdinalIgnoreCase) => FilterTokenKind.Or,
        3 when word.Equals("and", StringComparison.OrdinalIgnoreCase) => FilterTokenKind.And,
        3 when word.Equals("not", StringComparison.OrdinalIgnoreCase) => FilterTokenKind.Not,
        8 when word.Equals("contains", StringComparison.OrdinalIgnoreCase) => FilterTokenKind.Contains,
        _ => FilterTokenKind.Word,
    };

    /// <summary>Reads a string from its opening quote to behind its closing one.</summary>
    private string ReadQuoted(bool lenient)
    {
        var quote = Text[_position];
        var start = _position++;
        var end = _position;
        var stops = quote == '`' ? "`" : "\"\\";
        StringBuilder? builder = null;
        while (true)
        {
            var length = Text.AsSpan(_position).IndexOfAny(stops);
            if (length < 0)
            {
                if (!lenient)
                {
                    throw FilterSyntaxException.At(Text, start, $"a closing {quote}", "the string is not closed");
                }
                Unterminated = true;
                length = Text.Length - _position;
                end = _position + length;
                var rest = Text.AsSpan(_position, length);
                _position = end;
                return builder is null ? rest.ToString() : builder.Append(rest).ToString();
            }
            var piece = Text.AsSpan(_position, length);
            _position += length;
            if (Text[_position] == quote)
            {
                _position++;
                return builder is null ? piece.ToString() : builder.Append(piece).ToString();
            }
            builder ??= new StringBuilder();
            builder.Append(piece);
            AppendEscape(builder, lenient);
        }
    }

    /// <summary>Reads an escape sequence from its backslash on.</summary>
    private void AppendEscape(StringBuilder builder, bool lenient)
    {
        var escaped = _position + 1 < Text.Length ? Text[_position + 1] : '\0';
        switch (escaped)
        {
            case '"' or '\\' or '/' or '\'' or '`':
                builder.Append(escaped);
                break;
            case 'n':
                builder.Append('\n');
                break;
            case 'r':
                builder.Append('\r');
                break;
            case 't':
                builder.Append('\t');
                break;
            case 'b':
                builder.Append('\b');
                break;
            case 'f':
                builder.Append('\f');
                break;
            case 'u' when _position + 6 <= Text.Length
                && ushort.TryParse(Text.AsSpan(_position + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit):
                builder.Append((char)unit);
                _position += 4;
                break;
            default:
                if (!lenient)
                {
                    var shown = _position + 1 < Text.Length ? Text.Substring(_position, 2) : "\\";
                    throw FilterSyntaxException.At(
                        Text, _position, "one of \\\" \\\\ \\n \\r \\t \\b \\f \\uXXXX, or a string in backquotes, where a backslash is a backslash", $"unknown escape {shown}");
                }
                builder.Append('\\');
                _position--;
                break;
        }
        _position = Math.Min(_position + 2, Text.Length);
    }
}

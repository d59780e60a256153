using System.Collections.Immutable;
using System.Text;

namespace Apm.Web;

/// <summary>Writes filters, and cuts one into the terms its outermost "and" joins. Reading their meaning is the API's business.</summary>
internal static class FilterText
{
    /// <summary>A string literal of the filter language.</summary>
    public static string Quote(string value)
    {
        var text = new StringBuilder(value.Length + 2).Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' or '\\' => text.Append('\\').Append(c),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                _ => text.Append(c),
            };
        }
        return text.Append('"').ToString();
    }

    public static string Equal(string field, string value) => $"{field} = {Quote(value)}";

    /// <summary>Joins what is not empty; a part with "or" at its top is put in parentheses.</summary>
    public static string And(params ReadOnlySpan<string> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            var trimmed = part.Trim();
            if (trimmed.Length == 0)
                continue;
            if (text.Length > 0)
                text.Append(" && ");
            text.Append(HasOr(trimmed) ? $"({trimmed})" : trimmed);
        }
        return text.ToString();
    }

    /// <summary>The terms of the outermost <c>&amp;&amp;</c> (or <c>and</c>); the whole text as one term where an "or" stands at the top or a quote is not closed.</summary>
    public static ImmutableArray<string> Terms(string filter)
    {
        var text = filter.Trim();
        if (text.Length == 0)
            return [];
        var terms = ImmutableArray.CreateBuilder<string>();
        var start = 0;
        var scanner = new Scanner(text);
        while (scanner.Next())
        {
            if (scanner.Token == Token.Or)
                return [text];
            if (scanner.Token != Token.And)
                continue;
            terms.Add(text[start..scanner.Start].Trim());
            start = scanner.End;
        }
        terms.Add(text[start..].Trim());
        return terms.Contains("") || scanner.IsOpen ? [text] : terms.ToImmutable();
    }

    private static bool HasOr(string text)
    {
        var scanner = new Scanner(text);
        while (scanner.Next())
        {
            if (scanner.Token == Token.Or)
                return true;
        }
        return false;
    }

    private enum Token
    {
        And,
        Or,
    }

    /// <summary>Finds the connectives outside of quotes and brackets.</summary>
    private struct Scanner(string text)
    {
        private int _at, _depth;
        private char _quote;

        public Token Token { get; private set; }

        public int Start { get; private set; }

        public int End { get; private set; }

        public readonly bool IsOpen => _quote != default || _depth != 0;

        public bool Next()
        {
            for (; _at < text.Length; _at++)
            {
                var c = text[_at];
                if (_quote != default)
                {
                    if (c == '\\' && _quote != '`')
                        _at++;
                    else if (c == _quote)
                        _quote = default;
                }
                else if (c is '"' or '`')
                    _quote = c;
                else if (c is '(' or '{' or '[')
                    _depth++;
                else if (c is ')' or '}' or ']')
                    _depth--;
                else if (_depth == 0 && Connective(out var token, out var length))
                {
                    (Token, Start, End) = (token, _at, _at + length);
                    _at += length;
                    return true;
                }
            }
            return false;
        }

        private readonly bool Connective(out Token token, out int length)
        {
            token = default;
            length = 2;
            var rest = text.AsSpan(_at);
            if (rest.StartsWith("&&"))
                return true;
            if (rest.StartsWith("||"))
            {
                token = Token.Or;
                return true;
            }
            if (_at == 0 || !char.IsWhiteSpace(text[_at - 1]))
                return false;
            if (Word(rest, "and"))
            {
                length = 3;
                return true;
            }
            token = Token.Or;
            return Word(rest, "or");
        }

        private static bool Word(ReadOnlySpan<char> text, string word) =>
            text.Length > word.Length && text.StartsWith(word, StringComparison.OrdinalIgnoreCase) && char.IsWhiteSpace(text[word.Length]);
    }
}

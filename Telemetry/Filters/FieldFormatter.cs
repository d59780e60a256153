using System.Text;

namespace Apm.Telemetry.Filters;

/// <summary>Writes a field so that <see cref="FieldParser"/> reads the same one.</summary>
public static class FieldFormatter
{
    /// <param name="signal">Tells whether the record's own attributes are written <c>span.</c> or <c>log.</c>.</param>
    public static string Format(Field field, Signal signal)
    {
        if (field.Scope == FieldScope.Intrinsic)
        {
            return IntrinsicNames.NameOf(field.Intrinsic);
        }
        var prefix = Prefix(field.Scope, signal);
        return NeedsQuotes(field.Key) ? prefix + Quote(field.Key) : prefix + field.Key;
    }

    /// <summary><c>span.</c>, <c>resource.</c>, … with its dot; "." for Any.</summary>
    public static string Prefix(FieldScope scope, Signal signal) => scope switch
    {
        FieldScope.Any => ".",
        FieldScope.Record => signal == Signal.Logs ? "log." : "span.",
        FieldScope.Resource => "resource.",
        FieldScope.InstrumentationScope => "instrumentation.",
        FieldScope.Event => "event.",
        FieldScope.Link => "link.",
        _ => throw new ArgumentOutOfRangeException(nameof(scope), scope, "an intrinsic has no prefix"),
    };

    /// <summary>A string literal in double quotes.</summary>
    public static string Quote(string value)
    {
        var builder = new StringBuilder(value.Length + 2).Append('"');
        foreach (var c in value)
        {
            switch (c)
            {
                case '"' or '\\':
                    builder.Append('\\').Append(c);
                    break;
                case '\n':
                    builder.Append("\\n");
                    break;
                case '\r':
                    builder.Append("\\r");
                    break;
                case '\t':
                    builder.Append("\\t");
                    break;
                default:
                    if (char.IsControl(c))
                    {
                        builder.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    }
                    else
                    {
                        builder.Append(c);
                    }
                    break;
            }
        }
        return builder.Append('"').ToString();
    }

    private static bool NeedsQuotes(string key)
    {
        foreach (var c in key)
        {
            if (!FilterLexer.IsWordChar(c))
            {
                return true;
            }
        }
        return key.Length == 0;
    }
}

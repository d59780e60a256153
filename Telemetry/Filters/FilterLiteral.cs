using System.Globalization;
using Apm.Telemetry.Attributes;

namespace Apm.Telemetry.Filters;

/// <summary>The value in a comparison, read as its field's type asks.</summary>
/// <param name="text">The whole filter, for errors.</param>
/// <param name="token">A word or a string.</param>
internal sealed class FilterLiteral(string text, Field field, FilterToken token)
{
    private static readonly string[] s_scopes = [".", "span.", "resource.", "log.", "event.", "link.", "instrumentation.", "parent."];
    private static readonly string[] s_kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];
    private static readonly string[] s_statuses = ["unset", "ok", "error"];

    /// <summary>The words of <c>kind</c> in the order of <see cref="SpanKind"/>.</summary>
    public static IReadOnlyList<string> Kinds => s_kinds;

    /// <summary>The words of <c>status</c> in the order of <see cref="StatusCode"/>.</summary>
    public static IReadOnlyList<string> Statuses => s_statuses;

    /// <summary>Severity words and the first number of their ranges.</summary>
    public static readonly (string Word, byte First)[] Severities =
    [
        ("unspecified", SeverityNumber.Unspecified), ("trace", SeverityNumber.Trace), ("debug", SeverityNumber.Debug), ("info", SeverityNumber.Info),
        ("warn", SeverityNumber.Warn), ("error", SeverityNumber.Error), ("fatal", SeverityNumber.Fatal),
    ];

    /// <summary>Numbers in one severity range.</summary>
    public const int SeverityRange = 4;

    private bool IsWord => token.Kind == FilterTokenKind.Word;

    public static bool TryParseBool(string word, out bool value)
    {
        value = word.Equals("true", StringComparison.OrdinalIgnoreCase);
        return value || word.Equals("false", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether a word is a number or a duration.</summary>
    public static bool IsNumeric(string word) => StartsAsNumber(word)
        && (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _) || DurationText.TryParse(word, out _));

    /// <summary>Throws unless the field can hold strings: patterns apply to nothing else.</summary>
    public void RequireTextField(in FilterToken operation, string expected)
    {
        if (field.Scope == FieldScope.Intrinsic && IntrinsicNames.KindOf(field.Intrinsic) != IntrinsicNames.ValueKind.Text)
        {
            throw FilterSyntaxException.At(text, operation.Start, expected, $"{IntrinsicNames.NameOf(field.Intrinsic)} is not a string");
        }
    }

    /// <summary>The value of =~, !~ and contains: any string or bare word.</summary>
    public string AsText()
    {
        RejectField();
        return token.Text;
    }

    public Filter Compare(in FilterToken operation)
    {
        RejectField();
        var compared = operation.Kind switch
        {
            FilterTokenKind.Equal => ComparisonOperator.Equal,
            FilterTokenKind.NotEqual => ComparisonOperator.NotEqual,
            FilterTokenKind.Less => ComparisonOperator.Less,
            FilterTokenKind.LessOrEqual => ComparisonOperator.LessOrEqual,
            FilterTokenKind.Greater => ComparisonOperator.Greater,
            _ => ComparisonOperator.GreaterOrEqual,
        };
        if (IsWord && token.Text is "nil" or "null")
        {
            return CompareNil(operation, compared);
        }
        if (field.Scope != FieldScope.Intrinsic)
        {
            return CompareAttribute(operation, compared);
        }
        var kind = IntrinsicNames.KindOf(field.Intrinsic);
        if (kind is IntrinsicNames.ValueKind.Kind or IntrinsicNames.ValueKind.Status or IntrinsicNames.ValueKind.TraceId or IntrinsicNames.ValueKind.SpanId)
        {
            RequireEquality(operation, compared, IntrinsicNames.NameOf(field.Intrinsic));
        }
        return kind switch
        {
            IntrinsicNames.ValueKind.Kind => Comparison(compared, AttributeValue.FromInt64(Keyword(s_kinds))),
            IntrinsicNames.ValueKind.Status => Comparison(compared, AttributeValue.FromInt64(Keyword(s_statuses))),
            IntrinsicNames.ValueKind.Duration => Comparison(compared, AttributeValue.FromInt64(Duration())),
            IntrinsicNames.ValueKind.Severity => CompareSeverity(compared),
            IntrinsicNames.ValueKind.TraceId => Comparison(compared, AttributeValue.FromString(ReadTraceId())),
            IntrinsicNames.ValueKind.SpanId => Comparison(compared, AttributeValue.FromString(ReadSpanId())),
            _ => Comparison(compared, AttributeValue.FromString(String())),
        };
    }

    private ComparisonFilter Comparison(ComparisonOperator compared, AttributeValue value) => new(field, compared, value);

    private Filter CompareNil(in FilterToken operation, ComparisonOperator compared)
    {
        RequireEquality(operation, compared, "nil");
        if (field.Scope != FieldScope.Intrinsic)
        {
            return new ExistsFilter(field, compared == ComparisonOperator.NotEqual);
        }
        return field.Intrinsic == Intrinsic.ParentSpanId
            ? Comparison(compared, AttributeValue.FromString(""))
            : throw Wrong($"a value: {IntrinsicNames.NameOf(field.Intrinsic)} is never absent", "nil");
    }

    private ComparisonFilter CompareAttribute(in FilterToken operation, ComparisonOperator compared)
    {
        if (IsWord && TryParseBool(token.Text, out var flag))
        {
            RequireEquality(operation, compared, "a boolean");
            return Comparison(compared, AttributeValue.FromBool(flag));
        }
        return Comparison(compared, IsWord && StartsAsNumber(token.Text) ? Number() : AttributeValue.FromString(token.Text));
    }

    private AttributeValue Number()
    {
        if (long.TryParse(token.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
        {
            return AttributeValue.FromInt64(integer);
        }
        if (double.TryParse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            var isInteger = token.Text.AsSpan().IndexOfAnyExcept("+-0123456789") < 0;
            return double.IsFinite(number) && !isInteger
                ? AttributeValue.FromDouble(number)
                : throw Wrong("a number of 64 bits, or a string in quotes", "the number is too large");
        }
        // 1.5s is a duration, 2.14.0 and 10.0.0.1 are text.
        return DurationText.TryParse(token.Text, out var nano) ? AttributeValue.FromInt64(nano) : AttributeValue.FromString(token.Text);
    }

    private Filter CompareSeverity(ComparisonOperator compared)
    {
        if (IsWord && int.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number <= SeverityNumber.Max
                ? Comparison(compared, AttributeValue.FromInt64(number))
                : throw Wrong($"a number from 1 to {SeverityNumber.Max}", $"there is no severity {number}");
        }
        foreach (var (word, first) in Severities)
        {
            if (word.Equals(token.Text, StringComparison.OrdinalIgnoreCase))
            {
                return CompareSeverityRange(compared, first, first == 0 ? 0 : first + SeverityRange - 1);
            }
        }
        throw Wrong("trace, debug, info, warn, error, fatal, or a number from 1 to 24", $"there is no severity {Shown()}");
    }

    private Filter CompareSeverityRange(ComparisonOperator compared, long first, long last)
    {
        Filter Bound(Field on, ComparisonOperator by, long number) => new ComparisonFilter(on, by, AttributeValue.FromInt64(number));
        if (first == last)
        {
            return Bound(field, compared, first);
        }
        return compared switch
        {
            ComparisonOperator.Equal => Filter.And(Bound(field, ComparisonOperator.GreaterOrEqual, first), Bound(field, ComparisonOperator.LessOrEqual, last)),
            ComparisonOperator.NotEqual => Filter.Or(Bound(field, ComparisonOperator.Less, first), Bound(field, ComparisonOperator.Greater, last)),
            ComparisonOperator.Less or ComparisonOperator.GreaterOrEqual => Bound(field, compared, first),
            _ => Bound(field, compared, last),
        };
    }

    private int Keyword(string[] words)
    {
        var index = Array.FindIndex(words, word => word.Equals(token.Text, StringComparison.OrdinalIgnoreCase));
        return index >= 0 ? index : throw Wrong(string.Join(", ", words[..^1]) + " or " + words[^1], $"{IntrinsicNames.NameOf(field.Intrinsic)} is never {Shown()}");
    }

    private long Duration()
    {
        if (IsWord && DurationText.TryParse(token.Text, out var nano))
        {
            return nano;
        }
        if (IsWord && token.Text == "0")
        {
            return 0;
        }
        var problem = IsWord && IsNumeric(token.Text) ? $"{Shown()} has no unit, or is too long" : $"{Shown()} is no duration";
        throw Wrong("a duration, such as 100ms, 1.5s or 1h30m", problem);
    }

    private string ReadTraceId() => TraceId.TryParse(token.Text, out var id) ? id.ToString() : throw Wrong("a trace id of up to 32 hexadecimal digits", $"{Shown()} is no trace id");

    private string ReadSpanId()
    {
        if (token.Text.Length == 0 && field.Intrinsic == Intrinsic.ParentSpanId)
        {
            return "";
        }
        return SpanId.TryParse(token.Text, out var id) ? id.ToString() : throw Wrong("a span id of up to 16 hexadecimal digits", $"{Shown()} is no span id");
    }

    private string String()
    {
        if (IsWord && (IsNumeric(token.Text) || TryParseBool(token.Text, out _)))
        {
            throw Wrong($"a string: \"{FieldParser.Shown(token.Text)}\"", $"{IntrinsicNames.NameOf(field.Intrinsic)} is a string");
        }
        return token.Text;
    }

    private void RejectField()
    {
        if (IsWord && !IsNumeric(token.Text) && s_scopes.Any(scope => token.Text.StartsWith(scope, StringComparison.Ordinal)))
        {
            throw Wrong("a value: two fields cannot be compared; the text itself is written in quotes", $"{Shown()} is a field");
        }
    }

    private void RequireEquality(in FilterToken operation, ComparisonOperator compared, string subject)
    {
        if (compared is not (ComparisonOperator.Equal or ComparisonOperator.NotEqual))
        {
            throw FilterSyntaxException.At(text, operation.Start, "= or !=", $"{subject} has no order");
        }
    }

    private static bool StartsAsNumber(string word)
    {
        var i = word.Length > 0 && word[0] is '-' or '+' ? 1 : 0;
        if (i < word.Length && word[i] == '.')
        {
            i++;
        }
        return i < word.Length && char.IsAsciiDigit(word[i]);
    }

    private string Shown() => IsWord ? FieldParser.Shown(token.Text) : $"\"{FieldParser.Shown(token.Text)}\"";

    private FilterSyntaxException Wrong(string expected, string problem) => FilterSyntaxException.At(text, token.Start, expected, problem);
}

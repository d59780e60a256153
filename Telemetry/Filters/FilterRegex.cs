using System.Text.RegularExpressions;

namespace Apm.Telemetry.Filters;

/// <summary>Patterns of <c>=~</c>: anchored at both ends, matched in time linear in the value, whatever the pattern.</summary>
public static class FilterRegex
{
    private const string Prefix = @"\A(?:";
    private const string Suffix = @")\z";
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    /// <exception cref="ArgumentException">The pattern is wrong, too large, or uses what cannot be matched in linear time (look-around, back-references).</exception>
    public static Regex Create(string pattern)
    {
        if (pattern.Length > FilterLimits.MaxRegexChars)
        {
            throw new ArgumentException($"longer than {FilterLimits.MaxRegexChars} characters");
        }
        if (CountRepetitions(pattern) > FilterLimits.MaxRegexRepetitions)
        {
            throw new ArgumentException($"its counted repetitions multiply to more than {FilterLimits.MaxRegexRepetitions}");
        }
        try
        {
            // Checked on its own first: an unbalanced pattern such as a)|(b would be valid between the anchors, and mean something else.
            _ = new Regex(pattern, RegexOptions.CultureInvariant);
            return new Regex(Prefix + pattern + Suffix, Options);
        }
        catch (NotSupportedException)
        {
            throw new ArgumentException("look-around, back-references, conditionals and atomic groups are not supported, as they cannot be matched in linear time");
        }
        catch (RegexParseException exception)
        {
            throw new ArgumentException(exception.Message, exception);
        }
    }

    /// <summary>The pattern as it was written.</summary>
    public static string PatternOf(Regex regex)
    {
        var text = regex.ToString();
        return text.StartsWith(Prefix, StringComparison.Ordinal) && text.EndsWith(Suffix, StringComparison.Ordinal) ? text[Prefix.Length..^Suffix.Length] : text;
    }

    private static long CountRepetitions(string pattern)
    {
        long product = 1;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\')
            {
                i++;
            }
            else if (pattern[i] == '{')
            {
                long largest = 0;
                long number = 0;
                for (i++; i < pattern.Length && (char.IsAsciiDigit(pattern[i]) || pattern[i] == ','); i++)
                {
                    number = pattern[i] == ',' ? 0 : Math.Min((number * 10) + (pattern[i] - '0'), int.MaxValue);
                    largest = Math.Max(largest, number);
                }
                if (i < pattern.Length && pattern[i] == '}' && largest > 1)
                {
                    product = Math.Min(product * largest, int.MaxValue);
                }
            }
        }
        return product;
    }
}

namespace Apm.Telemetry.Filters;

/// <summary>Bounds on one filter. A filter comes from anybody who may query; these keep its parsing linear and its evaluation affordable.</summary>
public static class FilterLimits
{
    /// <summary>Characters of a filter's text: far above what a person or a dashboard writes, and parsed in a few milliseconds.</summary>
    public const int MaxTextChars = 64 * 1024;

    /// <summary>Parentheses and negations inside one another: the parser and the store walk a filter recursively.</summary>
    public const int MaxNesting = 64;

    /// <summary>Comparisons in one filter: each is evaluated against every block that is read.</summary>
    public const int MaxComparisons = 1_000;

    /// <summary>Regular expressions in one filter: each costs up to a millisecond to compile.</summary>
    public const int MaxRegexes = 32;

    /// <summary>Characters of one regular expression: the automaton's size follows it.</summary>
    public const int MaxRegexChars = 1_000;

    /// <summary>The product of all counted repetitions (<c>{n}</c>) of one regular expression: nested ones multiply its automaton.</summary>
    public const int MaxRegexRepetitions = 1_000;
}

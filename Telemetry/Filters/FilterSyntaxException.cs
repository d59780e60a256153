using System.Globalization;

namespace Apm.Telemetry.Filters;

/// <summary>A filter's or field's text is not one. The message says where and what would be right.</summary>
public sealed class FilterSyntaxException : FormatException
{
    private FilterSyntaxException(int offset, int line, int column, string expected, string problem, string message)
        : base(message)
    {
        Offset = offset;
        Line = line;
        Column = column;
        Expected = expected;
        Problem = problem;
    }

    /// <summary>Characters before the mistake.</summary>
    public int Offset { get; }

    /// <summary>From 1.</summary>
    public int Line { get; }

    /// <summary>From 1, in characters (UTF-16).</summary>
    public int Column { get; }

    /// <summary>What would be right there, as a noun phrase.</summary>
    public string Expected { get; }

    /// <summary>What is wrong, without where and what would be right.</summary>
    public string Problem { get; }

    internal static FilterSyntaxException At(string text, int offset, string expected, string problem)
    {
        offset = Math.Min(offset, text.Length);
        var before = text.AsSpan(0, offset);
        var line = 1 + before.Count('\n');
        var column = offset - before.LastIndexOf('\n');
        return new FilterSyntaxException(
            offset, line, column, expected, problem, string.Create(CultureInfo.InvariantCulture, $"line {line}, column {column}: {problem}; expected {expected}"));
    }
}

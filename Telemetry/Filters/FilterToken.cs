namespace Apm.Telemetry.Filters;

internal enum FilterTokenKind
{
    End,
    OpenBrace,
    CloseBrace,
    Open,
    Close,
    And,
    Or,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Match,
    NotMatch,
    Contains,
    /// <summary>A field, a bare word, a number, a duration: told apart by the parser.</summary>
    Word,
    String,
}

/// <param name="Start">Offset of the first character.</param>
/// <param name="End">Offset one past the last.</param>
/// <param name="Text">Word and String: the text with quotes and escapes resolved. Otherwise "".</param>
/// <param name="PlainChars">Word: characters of <paramref name="Text"/> before the first quoted section: only there a scope can be written.</param>
internal readonly record struct FilterToken(FilterTokenKind Kind, int Start, int End, string Text, int PlainChars)
{
    public bool IsComparison => Kind is >= FilterTokenKind.Equal and <= FilterTokenKind.Contains;
}

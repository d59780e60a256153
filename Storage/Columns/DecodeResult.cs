namespace Apm.Storage.Columns;

/// <param name="Rows">Items decoded.</param>
/// <param name="Skipped">Items skipped because the check rejects them; their sender was told.</param>
/// <param name="RepairedStrings">Strings that were not UTF-8 and got U+FFFD in place of what was wrong.</param>
public readonly record struct DecodeResult(int Rows, int Skipped, int RepairedStrings);

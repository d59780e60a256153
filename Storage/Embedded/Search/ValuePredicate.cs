using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>A filter's condition on one value that is there. Used by one thread, as it keeps a scratch buffer.</summary>
internal abstract class ValuePredicate
{
    public abstract bool Matches(AttributeType type, long bits, ReadOnlySpan<byte> content);

    /// <summary>Judging a value takes nanoseconds: so that all values of a dictionary may be judged, though few of them are met.</summary>
    public virtual bool IsCheap => true;

    /// <summary>
    /// Judges many strings at once, where that is faster than one by one; false when it is not.
    /// </summary>
    /// <param name="contents">The strings one after another; string i ends at <paramref name="ends"/>[i].</param>
    /// <param name="found">Bits, all 0: set for the strings that match.</param>
    public virtual bool TrySearch(ReadOnlySpan<byte> contents, ReadOnlySpan<int> ends, Span<ulong> found) => false;

    /// <summary>The values of which one must be stored for anything to match, or empty when that cannot be said: for pruning blocks by index.</summary>
    public virtual IReadOnlyList<AttributeValue> RequiredValues => [];

    /// <summary>The integers for which it can hold, when nothing but integers is stored; null when that cannot be said.</summary>
    public virtual (long Low, long High, bool Inverted)? Integers => null;

    /// <summary>Sequences of bytes that every text has for which it holds, as <see cref="Encodings.TextFilter"/> hashes them; for pruning blocks by index.</summary>
    public virtual ReadOnlySpan<int> RequiredGrams => [];

    protected static int[] GramsOf(string text)
    {
        var grams = new List<int>();
        Encodings.TextFilter.AddHashes(Encoding.UTF8.GetBytes(text), grams);
        return [.. grams.Distinct()];
    }

    public static ValuePredicate Of(Filter filter) => filter switch
    {
        ComparisonFilter comparison => new ComparisonPredicate(comparison.Operator, comparison.Value),
        RegexFilter regex => new RegexPredicate(regex.Pattern, regex.Negated),
        ContainsFilter contains => contains.Text.Length > 0 && System.Text.Ascii.IsValid(contains.Text) ? new ContainsAsciiPredicate(contains.Text) : new ContainsPredicate(contains.Text),
        TextEqualFilter text => new TextPredicate(text.Text),
        ExistsFilter => new PresentPredicate(),
        _ => throw new ArgumentException($"{filter.GetType().Name} is not a condition on a value", nameof(filter)),
    };
}

internal sealed class PresentPredicate : ValuePredicate
{
    public override bool Matches(AttributeType type, long bits, ReadOnlySpan<byte> content) => true;
}

internal sealed class ComparisonPredicate(ComparisonOperator comparison, AttributeValue literal) : ValuePredicate
{
    private readonly int[] _grams = comparison == ComparisonOperator.Equal && literal.Type == AttributeType.String ? GramsOf(literal.AsString()) : [];

    public override ReadOnlySpan<int> RequiredGrams => _grams;

    /// <summary>An interval that holds no integer where it can hold for none.</summary>
    public override (long Low, long High, bool Inverted)? Integers =>
        NumberOrder.IsNumber(literal.Type) ? NumberOrder.Interval(comparison, literal) ?? (1, 0, false) : (1, 0, false);

    public override IReadOnlyList<AttributeValue> RequiredValues { get; } = comparison == ComparisonOperator.Equal ? Representations(literal) : [];

    public override bool TrySearch(ReadOnlySpan<byte> contents, ReadOnlySpan<int> ends, Span<ulong> found)
    {
        if (comparison != ComparisonOperator.Equal)
        {
            return false;
        }
        if (literal.Type == AttributeType.String)
        {
            var content = literal.Content;
            for (int i = 0, start = 0; i < ends.Length; start = ends[i++])
            {
                if (ends[i] - start == content.Length && contents[start..ends[i]].SequenceEqual(content))
                {
                    RowMask.Add(found, i);
                }
            }
        }
        return true;
    }

    public override bool Matches(AttributeType type, long bits, ReadOnlySpan<byte> content)
    {
        if (NumberOrder.IsNumber(literal.Type))
        {
            return NumberOrder.IsNumber(type) && NumberOrder.Compare(type, bits, literal.Type, literal.Bits) is { } order && Holds(order);
        }
        if (type != literal.Type)
        {
            return false;
        }
        return type switch
        {
            AttributeType.String => Holds(content.SequenceCompareTo(literal.Content)),
            AttributeType.Bool => HoldsEquality(bits == literal.Bits),
            AttributeType.Empty => HoldsEquality(true),
            _ => HoldsEquality(content.SequenceEqual(literal.Content)),
        };
    }

    private bool Holds(int order) => comparison switch
    {
        ComparisonOperator.Equal => order == 0,
        ComparisonOperator.NotEqual => order != 0,
        ComparisonOperator.Less => order < 0,
        ComparisonOperator.LessOrEqual => order <= 0,
        ComparisonOperator.Greater => order > 0,
        _ => order >= 0,
    };

    private bool HoldsEquality(bool equal) => comparison switch
    {
        ComparisonOperator.Equal => equal,
        ComparisonOperator.NotEqual => !equal,
        _ => false,
    };

    /// <summary>Every stored form of a value equal to the literal: numbers may be stored as either type, and zero has two signs.</summary>
    private static List<AttributeValue> Representations(AttributeValue literal)
    {
        if (!NumberOrder.IsNumber(literal.Type))
        {
            return [literal];
        }
        var forms = new List<AttributeValue>();
        if (NumberOrder.EqualInteger(literal) is { } integer)
        {
            forms.Add(AttributeValue.FromInt64(integer));
            var asDouble = AttributeValue.FromDouble(integer);
            if (NumberOrder.EqualInteger(asDouble) == integer)
            {
                forms.Add(asDouble);
            }
            if (integer == 0)
            {
                forms.Add(AttributeValue.FromDouble(-0.0));
            }
        }
        else
        {
            forms.Add(literal);
        }
        return forms;
    }
}

/// <summary>Decodes a value's UTF-8 to a reused buffer; invalid bytes become U+FFFD.</summary>
internal abstract class TextualPredicate : ValuePredicate
{
    private char[] _chars = new char[256];

    public override bool IsCheap => false;

    public override bool Matches(AttributeType type, long bits, ReadOnlySpan<byte> content) => type == AttributeType.String && MatchesText(Decode(content));

    protected abstract bool MatchesText(ReadOnlySpan<char> text);

    private ReadOnlySpan<char> Decode(ReadOnlySpan<byte> utf8)
    {
        // No UTF-8 has more UTF-16 units than bytes, and an invalid byte decodes to at most one.
        if (_chars.Length < utf8.Length)
        {
            _chars = new char[Math.Max(utf8.Length, _chars.Length * 2)];
        }
        return _chars.AsSpan(0, Encoding.UTF8.GetChars(utf8, _chars));
    }
}

internal sealed class RegexPredicate(Regex pattern, bool negated) : TextualPredicate
{
    protected override bool MatchesText(ReadOnlySpan<char> text) => pattern.IsMatch(text) != negated;
}

/// <summary>A string contains a text that has other letters than ASCII's, in any case.</summary>
internal sealed class ContainsPredicate(string needle) : TextualPredicate
{
    private readonly int[] _grams = GramsOf(needle);

    public override ReadOnlySpan<int> RequiredGrams => _grams;

    private readonly SearchValues<string> _needle = SearchValues.Create([needle], StringComparison.OrdinalIgnoreCase);

    protected override bool MatchesText(ReadOnlySpan<char> text) => text.ContainsAny(_needle);
}

/// <summary>A string contains an ASCII text, in any case: no other character is an ASCII letter in another case, so that bytes are compared.</summary>
internal sealed class ContainsAsciiPredicate(string needle) : ValuePredicate
{
    private readonly AsciiSearch _search = new(needle);
    private readonly int[] _grams = GramsOf(needle);

    public override ReadOnlySpan<int> RequiredGrams => _grams;

    public override bool Matches(AttributeType type, long bits, ReadOnlySpan<byte> content) => type == AttributeType.String && _search.IndexIn(content) >= 0;

    public override bool TrySearch(ReadOnlySpan<byte> contents, ReadOnlySpan<int> ends, Span<ulong> found)
    {
        var from = 0;
        var value = 0;
        while (_search.IndexIn(contents[from..]) is var hit and >= 0)
        {
            hit += from;
            while (ends[value] <= hit)
            {
                value++;
            }
            // What begins in one string and ends in the next is no match.
            var isWithin = hit + _search.Length <= ends[value];
            if (isWithin)
            {
                RowMask.Add(found, value);
            }
            from = isWithin ? ends[value] : hit + 1;
        }
        return true;
    }
}

/// <summary>A value's text, whatever its type, equals the literal.</summary>
internal sealed class TextPredicate(string text) : ValuePredicate
{
    private readonly byte[] _utf8 = Encoding.UTF8.GetBytes(text);

    /// <summary>U+FFFD stands for any invalid bytes.</summary>
    private readonly bool _standsForInvalid = text.Contains('\uFFFD');

    public override bool Matches(AttributeType type, long bits, ReadOnlySpan<byte> content) => type switch
    {
        AttributeType.String => content.SequenceEqual(_utf8) || (_standsForInvalid && Encoding.UTF8.GetString(content) == text),
        AttributeType.Empty => _utf8.Length == 0,
        AttributeType.Bool => text == (bits != 0 ? "true" : "false"),
        AttributeType.Int64 or AttributeType.Double => AttributeValue.FromBits(type, bits).ToString() == text,
        _ => AttributeValue.FromContent(type, content).ToString() == text,
    };
}

/// <summary>A log record's body compares as text, whatever its type; a record without a body never matches.</summary>
internal sealed class BodyPredicate(ValuePredicate inner) : ValuePredicate
{
    public override bool IsCheap => inner.IsCheap;

    public override ReadOnlySpan<int> RequiredGrams => inner.RequiredGrams;

    public override bool TrySearch(ReadOnlySpan<byte> contents, ReadOnlySpan<int> ends, Span<ulong> found) => inner.TrySearch(contents, ends, found);

    public override bool Matches(AttributeType type, long bits, ReadOnlySpan<byte> content) => type switch
    {
        AttributeType.Empty => false,
        AttributeType.String => inner.Matches(type, 0, content),
        AttributeType.Bool or AttributeType.Int64 or AttributeType.Double => MatchesText(AttributeValue.FromBits(type, bits)),
        _ => MatchesText(AttributeValue.FromContent(type, content)),
    };

    private bool MatchesText(AttributeValue value) => inner.Matches(AttributeType.String, 0, Encoding.UTF8.GetBytes(value.ToString()));
}

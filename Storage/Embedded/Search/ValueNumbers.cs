using System.Runtime.CompilerServices;
using Apm.Storage.Columns;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Numbers the distinct values of one field over a whole query, so that counting works on small integers whatever source a row comes from.
/// </summary>
/// <param name="limit">Values numbered; further ones are all <see cref="Overflow"/>.</param>
internal sealed class ValueNumbers(int limit)
{
    /// <summary>The row lacks the field.</summary>
    public const int None = -1;

    /// <summary>A value beyond the limit.</summary>
    public const int Overflow = -2;

    private const int Unknown = int.MinValue;

    /// <summary>Bytes of text kept, over which further values are <see cref="Overflow"/>: bounds memory where values are long.</summary>
    private const long MaxTextBytes = 64L << 20;

    private readonly StringTable _strings = new();
    private readonly Dictionary<(AttributeType Type, long Bits), int> _numbers = [];
    private readonly List<(AttributeType Type, long Bits)> _values = [];

    /// <summary>Does not keep the dictionary of a block alive, with all its values, once the block is closed.</summary>
    private readonly ConditionalWeakTable<ValueDictionary, int[]> _maps = [];

    public int Count => _values.Count;

    public bool HasOverflowed { get; private set; }

    public AttributeValue this[int number]
    {
        get
        {
            var (type, bits) = _values[number];
            return type.HasContent() ? AttributeValue.FromContent(type, _strings[(int)bits]) : AttributeValue.FromBits(type, bits);
        }
    }

    /// <summary>What the values are numbered in another table, where they are added: index by number; <see cref="Overflow"/> where it is full.</summary>
    public int[] NumbersIn(ValueNumbers other)
    {
        var numbers = new int[Count];
        for (var number = 0; number < numbers.Length; number++)
        {
            var (type, bits) = _values[number];
            numbers[number] = type.HasContent() ? other.NumberOf(type, 0, _strings[(int)bits]) : other.NumberOf(type, bits, []);
        }
        other.HasOverflowed |= HasOverflowed;
        return numbers;
    }

    /// <summary>An order of the values that does not depend on their numbers.</summary>
    public int Compare(int left, int right)
    {
        var (leftType, leftBits) = _values[left];
        var (rightType, rightBits) = _values[right];
        return leftType != rightType ? leftType.CompareTo(rightType)
            : leftType.HasContent() ? _strings[(int)leftBits].SequenceCompareTo(_strings[(int)rightBits])
            : leftBits.CompareTo(rightBits);
    }

    /// <param name="bits">As <see cref="AttributeValue.Bits"/>.</param>
    /// <param name="content">As <see cref="AttributeValue.Content"/>.</param>
    public int NumberOf(AttributeType type, long bits, ReadOnlySpan<byte> content)
    {
        var full = _values.Count >= limit || _strings.SizeBytes > MaxTextBytes;
        if (type.HasContent())
        {
            bits = full ? _strings.Find(content) : _strings.Intern(content);
        }
        if (_numbers.TryGetValue((type, bits), out var number))
        {
            return number;
        }
        if (full)
        {
            HasOverflowed = true;
            return Overflow;
        }
        number = _values.Count;
        _numbers.Add((type, bits), number);
        _values.Add((type, bits));
        return number;
    }

    /// <summary>The numbers of a coded column's rows; only those of <paramref name="rows"/> are written.</summary>
    public void Read(CodedColumn column, ReadOnlySpan<ulong> rows, Span<int> numbers)
    {
        var map = MapOf(column.Values);
        var codes = column.Codes.Span;
        foreach (var row in new RowEnumerator(rows))
        {
            var code = codes[row];
            numbers[row] = code < 0 ? None : map[code] is var known and not Unknown ? known : Learn(column.Values, code, map);
        }
    }

    private int Learn(ValueDictionary values, int code, int[] map) =>
        map[code] = NumberOf(values.GetType(code), values.GetBits(code), values.GetContent(code));

    private int[] MapOf(ValueDictionary values)
    {
        if (!_maps.TryGetValue(values, out var map))
        {
            map = new int[values.Count];
            Array.Fill(map, Unknown);
            _maps.Add(values, map);
        }
        return map;
    }
}

namespace Apm.Storage.Embedded.Search;

/// <summary>A set of small numbers (codes of a dictionary, resources, shapes), and where in a column they are. Immutable.</summary>
internal sealed class CodeSet
{
    /// <summary>So few members, or so few numbers that are not, are compared with one after another, many rows at a time; beyond it each row is looked up.</summary>
    private const int MaxCompared = 6;

    public static readonly CodeSet Empty = new([], [], inverted: false);

    private readonly bool[] _contains;
    private readonly int[]? _compared;
    private readonly bool _inverted;

    private CodeSet(bool[] contains, int[]? compared, bool inverted)
    {
        _contains = contains;
        _compared = compared;
        _inverted = inverted;
        for (var code = 0; code < contains.Length; code++)
        {
            Mask |= contains[code] ? 1UL << (code & 63) : 0;
        }
    }

    /// <summary>Bit (member mod 64) is set for each member.</summary>
    public ulong Mask { get; }

    public bool IsEmpty => Mask == 0;

    /// <param name="contains">Whether each number below its length is a member.</param>
    public static CodeSet Of(bool[] contains)
    {
        var members = contains.AsSpan().Count(true);
        return members <= MaxCompared ? new CodeSet(contains, Where(contains, true, members), inverted: false)
            : contains.Length - members <= MaxCompared ? new CodeSet(contains, Where(contains, false, contains.Length - members), inverted: true)
            : new CodeSet(contains, null, inverted: false);
    }

    public bool Contains(int code) => _contains[code];

    /// <summary>Sets the bits of the members among <paramref name="codes"/>; overwrites the mask.</summary>
    /// <param name="codes">Each is within the range that the set is made of.</param>
    public void Find(ReadOnlySpan<int> codes, Span<ulong> mask)
    {
        if (_compared is { } compared)
        {
            RowMask.EqualToAny(codes, compared, _inverted, mask);
        }
        else
        {
            RowMask.Members(codes, _contains, mask);
        }
    }

    private static int[] Where(bool[] contains, bool value, int count)
    {
        var codes = new int[count];
        var next = 0;
        for (var code = 0; next < count; code++)
        {
            if (contains[code] == value)
            {
                codes[next++] = code;
            }
        }
        return codes;
    }
}

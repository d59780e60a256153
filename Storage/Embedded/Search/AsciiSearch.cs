using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Finds an ASCII text in UTF-8, in any case. Two of its bytes, the rarest in what software writes, are looked for at their distance, 32 places at a time;
/// only where both are is the text compared.
/// </summary>
internal sealed class AsciiSearch
{
    /// <summary>The most frequent first: of English text, identifiers and logs, all in lower case. What is not in it is rarer.</summary>
    private const string Frequent = "e taoinsrlcdmup/h.g0f1v=b-2w_:y3k4586\"97,x";

    private const byte CaseBit = 0x20;

    /// <summary>In lower case.</summary>
    private readonly byte[] _text;
    private readonly int _first;
    private readonly int _second;

    /// <param name="text">Not empty.</param>
    public AsciiSearch(string text)
    {
        _text = Encoding.ASCII.GetBytes(text.ToLowerInvariant());
        var order = Enumerable.Range(0, _text.Length).OrderByDescending(i => RarityOf(_text[i])).ThenBy(i => i).ToArray();
        _first = order[0];
        _second = order.Length > 1 ? order[1] : order[0];
    }

    public int Length => _text.Length;

    /// <summary>Where the text begins, or -1.</summary>
    public int IndexIn(ReadOnlySpan<byte> content)
    {
        var last = content.Length - _text.Length;
        var at = 0;
        if (Vector256.IsHardwareAccelerated && last >= Vector256<byte>.Count)
        {
            var (first, second) = (Vector256.Create(_text[_first]), Vector256.Create(_text[_second]));
            var (firstCase, secondCase) = (Vector256.Create(CaseOf(_text[_first])), Vector256.Create(CaseOf(_text[_second])));
            var firsts = content[_first..];
            var seconds = content[_second..];
            for (; at + Vector256<byte>.Count <= last + 1; at += Vector256<byte>.Count)
            {
                var found = Vector256.Equals(Vector256.Create(firsts[at..]) | firstCase, first) & Vector256.Equals(Vector256.Create(seconds[at..]) | secondCase, second);
                for (var places = found.ExtractMostSignificantBits(); places != 0; places &= places - 1)
                {
                    var place = at + BitOperations.TrailingZeroCount(places);
                    if (Ascii.EqualsIgnoreCase(content.Slice(place, _text.Length), _text))
                    {
                        return place;
                    }
                }
            }
        }
        for (; at <= last; at++)
        {
            if ((content[at + _first] | CaseOf(_text[_first])) == _text[_first] && Ascii.EqualsIgnoreCase(content.Slice(at, _text.Length), _text))
            {
                return at;
            }
        }
        return -1;
    }

    private static int RarityOf(byte value) => Frequent.IndexOf((char)value, StringComparison.Ordinal) is var place and >= 0 ? place : Frequent.Length;

    /// <summary>With this bit set, a letter is in lower case, and no other byte is that letter.</summary>
    private static byte CaseOf(byte value) => char.IsAsciiLetter((char)value) ? CaseBit : (byte)0;
}

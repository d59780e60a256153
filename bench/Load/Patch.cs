namespace Apm.Bench;

/// <summary>A run of characters of a body that makes a value unique, such as an order's number.</summary>
/// <param name="IsHex">Hexadecimal digits, replaced whole; otherwise decimal digits, of which the first stays, so that numbers keep their range.</param>
internal readonly record struct Patch(int Offset, int Length, bool IsHex)
{
    /// <summary>Shortest run of hexadecimal digits that is taken for an id.</summary>
    private const int MinHexDigits = 12;

    /// <summary>Shortest run of decimal digits that is taken for an id.</summary>
    private const int MinDecimalDigits = 6;

    private static ReadOnlySpan<byte> HexDigits => "0123456789abcdef"u8;

    /// <summary>Adds the ids in a text.</summary>
    /// <param name="offset">Where the text begins in its body.</param>
    public static void Find(ReadOnlySpan<byte> text, int offset, List<Patch> found)
    {
        for (var i = 0; i < text.Length;)
        {
            var decimals = 0;
            var length = 0;
            for (; i + length < text.Length && (char.IsAsciiHexDigitLower((char)text[i + length])); length++)
            {
                decimals += char.IsAsciiDigit((char)text[i + length]) ? 1 : 0;
            }
            if (length >= MinHexDigits)
            {
                found.Add(new Patch(offset + i, length, IsHex: true));
            }
            else if (length >= MinDecimalDigits && decimals == length)
            {
                found.Add(new Patch(offset + i, length, IsHex: false));
            }
            i += length + 1;
        }
    }

    /// <summary>Writes other digits over the run.</summary>
    public void Apply(Span<byte> body, ref SeededRandom random)
    {
        if (IsHex)
        {
            for (var i = 0; i < Length; i += 16)
            {
                var bits = random.Next();
                foreach (ref var digit in body.Slice(Offset + i, Math.Min(16, Length - i)))
                {
                    digit = HexDigits[(int)(bits & 15)];
                    bits >>= 4;
                }
            }
            return;
        }
        var number = random.Next();
        foreach (ref var digit in body.Slice(Offset + 1, Length - 1))
        {
            digit = (byte)('0' + (number % 10));
            number /= 10;
        }
    }
}

using System.Buffers.Binary;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>
/// Turns filters of blocks, each a row of bits, into rows of one bit for each block, and back: 8 by 8 bits at a time in a register. A row is 1, 2 or 4 bits
/// wide, or whole bytes; block i is bit i.
/// </summary>
internal static class BitMatrix
{
    /// <summary>Rows turned at once: 8 bytes of each filter.</summary>
    public const int Rows = 64;

    /// <summary>Writes the 64 rows that 8 bytes of each filter make.</summary>
    /// <param name="filters">Up to a multiple of 8 words, zeros where there is no block.</param>
    /// <param name="rows">8 bytes for each bit of width.</param>
    public static void ToRows(ReadOnlySpan<ulong> filters, int widthBits, Span<byte> rows)
    {
        if (widthBits >= 8)
        {
            Turn(filters, widthBits / 8, rows);
            return;
        }
        Span<byte> wide = stackalloc byte[Rows];
        Turn(filters, 1, wide);
        for (var at = 0; at < Rows; at += 8)
        {
            uint packed = 0;
            for (var row = 0; row < 8; row++)
            {
                packed |= (uint)wide[at + row] << (row * widthBits);
            }
            for (var i = 0; i < widthBits; i++)
            {
                rows[(at / 8 * widthBits) + i] = (byte)(packed >> (8 * i));
            }
        }
    }

    /// <summary>The reverse of <see cref="ToRows"/>.</summary>
    public static void FromRows(ReadOnlySpan<byte> rows, int widthBits, Span<ulong> filters)
    {
        if (widthBits >= 8)
        {
            TurnBack(rows, widthBits / 8, filters);
            return;
        }
        Span<byte> wide = stackalloc byte[Rows];
        for (var row = 0; row < Rows; row++)
        {
            var bit = row * widthBits;
            wide[row] = (byte)((rows[bit >> 3] >> (bit & 7)) & ((1 << widthBits) - 1));
        }
        TurnBack(wide, 1, filters);
    }

    /// <summary>Bit j of byte i becomes bit i of byte j.</summary>
    public static ulong Transpose(ulong bits)
    {
        var swap = (bits ^ (bits >> 7)) & 0x00AA00AA00AA00AAUL;
        bits ^= swap ^ (swap << 7);
        swap = (bits ^ (bits >> 14)) & 0x0000CCCC0000CCCCUL;
        bits ^= swap ^ (swap << 14);
        swap = (bits ^ (bits >> 28)) & 0x00000000F0F0F0F0UL;
        return bits ^ swap ^ (swap << 28);
    }

    private static void Turn(ReadOnlySpan<ulong> filters, int width, Span<byte> rows)
    {
        for (var group = 0; group < width; group++)
        {
            var words = filters.Slice(group * 8, 8);
            for (var part = 0; part < 64; part += 8)
            {
                ulong bytes = 0;
                for (var block = 0; block < 8; block++)
                {
                    bytes |= ((words[block] >> part) & 0xFF) << (block * 8);
                }
                var turned = Transpose(bytes);
                if (width == 1)
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(rows[part..], turned);
                    continue;
                }
                var at = (part * width) + group;
                for (var row = 0; row < 8; row++, at += width)
                {
                    rows[at] = (byte)(turned >> (row * 8));
                }
            }
        }
    }

    private static void TurnBack(ReadOnlySpan<byte> rows, int width, Span<ulong> filters)
    {
        for (var group = 0; group < width; group++)
        {
            var words = filters.Slice(group * 8, 8);
            words.Clear();
            for (var part = 0; part < 64; part += 8)
            {
                ulong bytes = 0;
                var at = (part * width) + group;
                for (var row = 0; row < 8; row++, at += width)
                {
                    bytes |= (ulong)rows[at] << (row * 8);
                }
                var turned = Transpose(bytes);
                for (var block = 0; block < 8; block++)
                {
                    words[block] |= ((turned >> (block * 8)) & 0xFF) << part;
                }
            }
        }
    }
}

using System.Buffers.Binary;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>
/// The hash under which blooms know a value: on disk, so it must never change within a format version (FORMAT.md "Value hash").
/// Values that a filter calls equal hash alike: numbers by their value as a double, whatever their type.
/// </summary>
internal static class ValueHash
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15UL;

    /// <param name="content">For types with content; else ignored.</param>
    public static ulong Of(AttributeType type, long bits, ReadOnlySpan<byte> content) => type switch
    {
        AttributeType.Int64 => OfNumber(bits),
        AttributeType.Double => OfNumber(BitConverter.Int64BitsToDouble(bits)),
        AttributeType.Bool => Finish((ulong)type * Multiplier ^ (ulong)(bits & 1)),
        AttributeType.Empty => Finish(0),
        _ => OfBytes(content, (ulong)type),
    };

    public static ulong OfBytes(ReadOnlySpan<byte> content, ulong seed)
    {
        var hash = (seed + 1) * Multiplier ^ (ulong)content.Length;
        while (content.Length >= 8)
        {
            hash = (hash ^ BinaryPrimitives.ReadUInt64LittleEndian(content)) * Multiplier;
            hash ^= hash >> 29;
            content = content[8..];
        }
        ulong tail = 0;
        for (var i = 0; i < content.Length; i++)
        {
            tail |= (ulong)content[i] << (8 * i);
        }
        return Finish((hash ^ tail) * Multiplier);
    }

    /// <summary>A value of one column: the same value under another key hashes otherwise.</summary>
    public static ulong InColumn(ulong columnHash, ulong valueHash) => Finish((columnHash * Multiplier) ^ valueHash);

    private static ulong OfNumber(double value)
    {
        var number = value == 0 ? 0 : double.IsNaN(value) ? double.NaN : value;
        return Finish((ulong)BitConverter.DoubleToInt64Bits(number) ^ Multiplier);
    }

    private static ulong Finish(ulong hash)
    {
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
        return hash ^ (hash >> 31);
    }
}

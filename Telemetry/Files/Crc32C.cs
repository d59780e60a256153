using System.Buffers.Binary;
using System.Numerics;

namespace Apm.Telemetry.Files;

/// <summary>CRC-32C (Castagnoli), the checksum of every file format here. Hardware instructions where there are any: about 4 GB/s.</summary>
public static class Crc32C
{
    private const uint Inversion = 0xFFFF_FFFF;

    /// <summary>The checksum of the bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of what <paramref name="crc"/> covers, followed by the bytes.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc ^= Inversion;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }
        return crc ^ Inversion;
    }
}
